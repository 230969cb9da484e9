"""What access keeps of a person."""

from access.registry import declare

declare("account", model="access.User", owner="pk", without=("password",))
declare("addresses", model="account.EmailAddress", owner="user")
declare("api-keys", model="access.ApiKey", owner="user", without=("digest",))
declare("login-links", model="access.LoginLink", owner="user", without=("digest",))
declare("preferences", model="access.Preferences", owner="user")
declare("first-steps", model="access.Onboarding", owner="user")
declare("second-factors", model="mfa.Authenticator", owner="user", without=("data",))
declare("sessions", model="usersessions.UserSession", owner="user", without=("session_key", "data"))
declare("early-access", model="access.Signup", address="address", without=("digest", "alias_digest", "referrer_id"))
declare("early-access-requests", model="access.Ask", address="address")
declare("early-access-consents", model="access.Consent", address="signup__address")
declare("early-access-links", model="access.Token", address="signup__address", without=("digest",))
# What mails were filled with holds links that log in or confirm.
declare("mails", model="access.Mail", address="address", without=("digest", "context", "key"))
declare("mails-kept-here", model="access.LocalMail", address="address", without=("text", "html"))
