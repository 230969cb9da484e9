"""What access keeps: people and their keys, mail on its way out, and addresses that want none."""

from access.models.early import (
    Act,
    Allowance,
    Ask,
    Consent,
    Onboarding,
    Signup,
    SpentProof,
    Tally,
    Token,
    Wave,
)
from access.models.mail import LocalMail, Mail, Suppression
from access.models.people import ApiKey, LoginLink, Preferences, User

__all__ = [
    "Act",
    "Allowance",
    "ApiKey",
    "Ask",
    "Consent",
    "LocalMail",
    "LoginLink",
    "Mail",
    "Onboarding",
    "Preferences",
    "Signup",
    "SpentProof",
    "Suppression",
    "Tally",
    "Token",
    "User",
    "Wave",
]
