"""Maps of units, drawn once for each state of the lists and kept on disk under KHIEN_HOME.

A map is a GeoJSON FeatureCollection of the units below a parent, in degrees WGS 84, of at most about 300 kB.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.session import Session
from khien.territory import store
from khien.territory.outlines import FORM, Atlas, country_outline

WORLD = Path(__file__).resolve().parent / "atlas" / "countries-10m.json"  # put there by khien.web.build


def outlines(session: Session, parent_id: int) -> str:
    """The map of the units below `parent_id` as JSON text; of the unit itself where there are none below.

    Drawn when it is first asked for, with all other maps of its system (seconds). Raises NotFound, Unavailable.
    """
    system = store.system_of(session, parent_id)
    folder = _folder(system)
    if not folder.is_dir():
        draw(session, parent_id)
    kept = folder / f"{parent_id}.geojson"
    if not kept.is_file():
        # A commune has no map of its own; it is drawn as one of its parent's.
        unit = store.unit(session, parent_id)
        whole = json.loads((folder / f"{unit['parent_id']}.geojson").read_text(encoding="utf-8"))
        whole["features"] = [f for f in whole["features"] if f["properties"]["id"] == parent_id]
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return kept.read_text(encoding="utf-8")


def draw(session: Session, unit_id: int, world: Path = WORLD) -> Path:
    """Draw every map of the system that a unit belongs to, anew. Returns the folder. Raises NotFound, Unavailable.

    `world` is the TopoJSON file with the countries' outlines. Readers see the old maps or the new, never half.
    """
    system = store.system_of(session, unit_id)
    rows, loaded = store.for_map(session, system["system"])
    atlas = Atlas(rows, loaded, _land(system["country"], world))
    folder = _folder(system)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".drawing-", dir=folder.parent))
    try:
        for parent in atlas.parents():
            text = json.dumps(atlas.collection(parent), ensure_ascii=False, separators=(",", ":"))
            (made / f"{parent}.geojson").write_text(text, encoding="utf-8")
        made.chmod(0o755)
        _put(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    for older in folder.parent.glob(f"{system['system']}@*"):
        if older != folder:
            shutil.rmtree(older, ignore_errors=True)
    return folder


def _folder(system: store.Row) -> Path:
    return config.home() / "outlines" / f"{system['system']}@{system['version']}-{FORM}"


def _land(country: str, world: Path):  # type: ignore[no-untyped-def]  # shapely's geometry, which has no types
    if not country:
        return None
    try:
        return country_outline(world, country)
    except (OSError, ValueError) as failure:
        raise Unavailable(
            N_("The outlines of countries are not there ({file}). Build the front end first: make setup"),
            file=world.name,
        ) from failure
    except KeyError as failure:
        raise Unavailable(N_("The outlines know no country {country}."), country=country) from failure


def _put(made: Path, folder: Path) -> None:
    """Move a finished drawing into place; where another process was faster, its drawing is the same."""
    if folder.is_dir():
        old = folder.with_name(f".old-{made.name}")
        with suppress(OSError):
            folder.replace(old)
        shutil.rmtree(old, ignore_errors=True)
    with suppress(OSError):
        made.replace(folder)
