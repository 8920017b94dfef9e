"""Forms of the vaccination pages. They check the form of what was typed; the rules decide the rest."""

from khien.vaccination.forms.campaign import AllocationForm, CampaignForm, CloseForm, SessionForm
from khien.vaccination.forms.desk import GiveForm, ReasonForm, ScreeningForm
from khien.vaccination.forms.doses import CorrectionForm, DoseForm, ElsewhereForm, ProofForm
from khien.vaccination.forms.events import ConclusionForm, EventForm, LearnedForm
from khien.vaccination.forms.people import ContactForm, FactForm, PriorityForm
from khien.vaccination.forms.stock import ExcursionForm, LotReasonForm, MoveForm, ReceiptForm

__all__ = [
    "AllocationForm",
    "CampaignForm",
    "CloseForm",
    "ConclusionForm",
    "ContactForm",
    "CorrectionForm",
    "DoseForm",
    "ElsewhereForm",
    "EventForm",
    "ExcursionForm",
    "FactForm",
    "GiveForm",
    "LearnedForm",
    "LotReasonForm",
    "MoveForm",
    "PriorityForm",
    "ProofForm",
    "ReasonForm",
    "ReceiptForm",
    "ScreeningForm",
    "SessionForm",
]
