"""Every write of vaccination, by subject."""

from khien.vaccination.actions.campaign import (
    allocate,
    call_people,
    choose_lot,
    note_call,
    open_campaign,
    open_session,
    send_invitations,
)
from khien.vaccination.actions.catalogue import add_sites, load_products
from khien.vaccination.actions.desk import (
    close_session,
    end_observation,
    give_dose,
    refuse_consent,
    screen_person,
    undo_dose,
)
from khien.vaccination.actions.doses import DoseOutcome, correct_dose, declare_dose, record_dose, record_doses
from khien.vaccination.actions.events import conclude_event, report_event, update_event, verify_dose
from khien.vaccination.actions.people import (
    end_health_fact,
    note_contact,
    note_health_fact,
    prioritise,
    set_priorities,
)
from khien.vaccination.actions.stock import (
    Excursion,
    Movement,
    block_lot,
    move_stock,
    open_vial,
    receive_lot,
    receive_stock,
    release_lot,
    report_excursion,
    transfer_stock,
)

__all__ = [
    "verify_dose",
    "update_event",
    "report_event",
    "conclude_event",
    "undo_dose",
    "screen_person",
    "refuse_consent",
    "give_dose",
    "end_observation",
    "end_health_fact",
    "note_contact",
    "prioritise",
    "close_session",
    "DoseOutcome",
    "Excursion",
    "Movement",
    "add_sites",
    "allocate",
    "block_lot",
    "call_people",
    "choose_lot",
    "correct_dose",
    "declare_dose",
    "load_products",
    "move_stock",
    "note_call",
    "note_health_fact",
    "open_campaign",
    "open_session",
    "open_vial",
    "receive_lot",
    "receive_stock",
    "record_dose",
    "record_doses",
    "release_lot",
    "report_excursion",
    "send_invitations",
    "set_priorities",
    "transfer_stock",
]
