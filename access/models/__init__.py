"""What access keeps: people and their keys, mail on its way out, and addresses that want none."""

from access.models.mail import LocalMail, Mail, Suppression
from access.models.people import ApiKey, LoginAllowance, LoginLink, User

__all__ = ["ApiKey", "LocalMail", "LoginAllowance", "LoginLink", "Mail", "Suppression", "User"]
