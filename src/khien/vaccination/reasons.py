"""What the schedule engine's codes say, in words."""

from __future__ import annotations

from khien.core.i18n import N_, translate

TEXTS = {
    # of a dose
    "too_young": N_("Given below the minimum age"),
    "too_old": N_("Given above the maximum age"),
    "grace_period": N_("Given within the grace period; it counts"),
    "volume_too_small": N_("Less was given than recommended; it counts"),
    "interval_too_short": N_("Given too soon after an earlier dose or event"),
    "live_virus_conflict": N_("Given too soon after another live vaccine"),
    "vaccine_not_allowed": N_("This vaccine is not allowed for this dose"),
    "vaccine_not_allowed_yet": N_("This vaccine was not allowed for this dose on that day"),
    "vaccine_wrong_for_age": N_("This vaccine is not for this age"),
    "vaccine_not_after_previous": N_("This vaccine may not follow the one given before"),
    "inadvertent_vaccine": N_("This vaccine is not meant for this dose and never counts for it"),
    "series_already_complete": N_("The series was already complete"),
    "sub_standard_dose": N_("The dose was expired or spoilt"),
    "unknown_vaccine": N_("The programme does not know this vaccine"),
    # of a series
    "primary_dose_due": N_("Next dose of the primary series"),
    "additional_dose_due": N_("Additional dose"),
    "booster_dose_due": N_("Booster dose"),
    "repeat_invalid_dose": N_("The last dose does not count and has to be repeated"),
    "series_complete": N_("The series is complete"),
    "not_needed_after_past_doses": N_("Not needed after the doses already given"),
    "immune_by_history": N_("Immune: laboratory evidence or a diagnosed disease"),
    "immune_by_birth_date": N_("Taken as immune by the date of birth"),
    "contraindicated": N_("Contraindicated"),
    "season_over": N_("The season of this vaccine is over"),
    "aged_out": N_("Above the maximum age"),
    "unable_to_finish": N_("Cannot be finished before the maximum age"),
    "no_series": N_("No series of this programme is for this person"),
}

STATUSES = {
    "valid": N_("Valid"),
    "not_valid": N_("Not valid"),
    "extraneous": N_("Extra dose"),
    "sub_standard": N_("Sub-standard dose"),
    "complete": N_("Complete"),
    "not_complete": N_("Not complete"),
    "immune": N_("Immune"),
    "aged_out": N_("Aged out"),
    "not_recommended": N_("Not recommended"),
}


def text(code: str, language: str = "en") -> str:
    """The sentence of a reason's code; the code itself where there is none."""
    return translate(TEXTS.get(code, code), language)


def status_text(status: str, language: str = "en") -> str:
    return translate(STATUSES.get(status, TEXTS.get(status, status)), language)
