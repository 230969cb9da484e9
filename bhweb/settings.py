"""One settings file. Every value that differs between places comes from the environment and fails loudly."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from bhweb import clock, environment

BASE_DIR = Path(__file__).resolve().parent.parent


SECRET_KEY = environment.text("BH_SECRET_KEY")
# What wraps the keys of private notes: the first for new ones, the others to open old ones.
NOTES_KEYS = environment.secrets("BH_NOTES_KEYS") or [SECRET_KEY]
DEBUG = environment.flag("BH_DEBUG")
ALLOWED_HOSTS = environment.text("BH_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in environment.text("BH_TRUSTED_ORIGINS", "").split(",") if origin]
# How many proxies of ours stand in front; a wrong count puts all visitors into one bucket of the limits.
TRUSTED_PROXY_COUNT = int(environment.text("BH_TRUSTED_PROXY_COUNT", "0"))
# Where people find the site: links in mails lead there, whatever host a request names.
SITE_URL = environment.site(environment.text("BH_SITE_URL", "http://localhost:8000"))
DATA_DIR = Path(environment.text("BH_DATA_DIR", str(BASE_DIR / "var")))

DATABASES = {"default": environment.database(environment.text("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = environment.text("REDIS_URL")
EVENTS_URL = environment.redis_py(REDIS_URL)
# An open page hears the time so often, also when nothing happens.
EVENTS_HEARTBEAT_S = float(environment.text("BH_EVENTS_HEARTBEAT_S", "15"))
# Who shows it may read /metrics from another machine; empty: only programs on this one may.
METRICS_TOKEN = environment.secret("BH_METRICS_TOKEN")
# 0 leaves real venues out: nothing is asked of them, and the default set is not made.
VENUES = environment.flag("BH_VENUES", default=True)
# Where venues are reached instead of at their own addresses: a double on loopback, or a relay of the operator's.
VENUES_URL = environment.text("BH_VENUES_URL", "").rstrip("/")
# The time that everything goes by while a market is replayed (bhweb/clock.py); the machine's own where empty.
CLOCK = clock.read(environment.text("BH_CLOCK", ""))
CLOCK_SPEED = CLOCK.speed if CLOCK else 1.0
# How long rows are kept: whole months of bars (0: for ever), days of depth and account ratios (0: for ever).
KEEP_BAR_MONTHS = int(environment.text("BH_KEEP_BAR_MONTHS", "0"))
KEEP_DEPTH_DAYS = int(environment.text("BH_KEEP_DEPTH_DAYS", "90"))
# Within this a request has arrived whole, or is refused [s].
# Where files are sent to, each with a limit of its own below this one [bytes, with the form around the file].
FILE_PATHS = frozenset({"/trades/files/", "/plans/imported/", "/early-access/operator/import/"})
FILE_BYTES_MOST = 33 << 20
BODY_SECONDS = float(environment.text("BH_BODY_SECONDS", "10"))
CACHES = {
    "default": {
        "BACKEND": "bhweb.cache.HintCache",
        "LOCATION": os.environ.get("CACHE_URL") or environment.redis_py(REDIS_URL, further=1),
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    },
}

INSTALLED_APPS = [
    "access.apps.StaffSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "anymail",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "access",
    "market",
    "heatmaps",
    "journal",
    "alerts",
    "bhweb",
]
MIDDLEWARE = [
    "bhweb.headers.HeadersEverywhere",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "bhweb.health.HealthFirst",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "bhweb.walls.ForgetOwner",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "bhweb.failures.SayNotAllowed",
]
ROOT_URLCONF = "bhweb.urls"
WSGI_APPLICATION = "bhweb.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.tz", "access.templatetags.reading"],
        },
    }
]

AUTH_USER_MODEL = "access.User"
PASSWORD_HASHERS = ["access.hashing.YieldingHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "heatmaps:instruments"
LOGOUT_REDIRECT_URL = "landing"
# Who may sign up: nobody ("closed"), who was invited ("invited"), everyone ("open").
SIGN_UP = environment.choice("BH_SIGN_UP", ("invited", "closed", "open"))
# Whether staff need a second factor; on one machine, where only its operator is staff, it is offered.
STAFF_NEEDS_SECOND_FACTOR = environment.flag("BH_STAFF_SECOND_FACTOR", default=not environment.flag("BH_EMBEDDED"))
AUTHENTICATION_BACKENDS = ["access.adapter.PasswordBackend"]
ACCOUNT_ADAPTER = "access.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "access.forms.LoginForm", "signup": "access.forms.SignUpForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
# access counts by itself, in PostgreSQL (access/permissions/tries.py): allauth's counts end when the cache is emptied.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
MFA_ADAPTER = "access.adapter.MfaAdapter"
MFA_FORMS = {
    "authenticate": "access.forms.SecondFactorForm",
    "reauthenticate": "access.forms.SecondFactorAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Nobody logs in before the first address is verified; a new one may wait beside it while a second factor is on.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "BH Terminal"
# HTTPS is the operator's proxy; behind it BH_SECURE=1 makes every cookie secure.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = environment.flag("BH_SECURE")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]  # asked for from inside, without the proxy
SECURE_HSTS_SECONDS = 63_072_000 if SESSION_COOKIE_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SESSION_COOKIE_SECURE
# Without HTTPS browsers give passkeys to http://localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SESSION_COOKIE_SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

_MAIL = environment.mail(
    service=environment.text("BH_MAIL_SERVICE", ""),
    keys=environment.text("BH_MAIL_KEYS", ""),
    smtp=environment.text("BH_SMTP_URL", ""),
)
globals().update(_MAIL)
ANYMAIL = _MAIL["ANYMAIL"]
MAIL_SERVICE = environment.text("BH_MAIL_SERVICE", "")
MAIL_IS_LOCAL = _MAIL["EMAIL_BACKEND"].startswith("access.")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environment.text(
    "BH_MAIL_FROM", f"BH Terminal <no-reply@{urlsplit(SITE_URL).hostname}>"
)
# Who writes to it is taken off by hand; letters name it beside the link.
UNSUBSCRIBE_MAILBOX = environment.text("BH_UNSUBSCRIBE_MAILBOX", "")

# Who has just made an account goes through the first steps.
ACCOUNT_SIGNUP_REDIRECT_URL = "welcome"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # half the work at the first start
_PACKAGES = {
    "vendor/lightweight-charts": BASE_DIR / "node_modules/lightweight-charts/dist",
    "vendor/altcha/external": BASE_DIR / "node_modules/altcha/dist/external",
    "vendor/altcha/workers": BASE_DIR / "node_modules/altcha/dist/workers",
    "vendor/inter": BASE_DIR / "node_modules/@fontsource-variable/inter/files",
}
STATICFILES_DIRS = [BASE_DIR / "static", *((prefix, path) for prefix, path in _PACKAGES.items() if path.exists())]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "bhweb.storage.ModuleManifestStorage"},
}

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "access.permissions.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": [
        "access.permissions.throttles.StrangerThrottle",
        "access.permissions.throttles.MemberThrottle",
    ],
    "NUM_PROXIES": TRUSTED_PROXY_COUNT,
    "DEFAULT_THROTTLE_RATES": {"anon": "30/min", "user": "600/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "BH Terminal API",
    "DESCRIPTION": "Estimated liquidation density, zones and plans. Estimates, not exchange data.",
    "VERSION": "0.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "AlertKindEnum": "alerts.models.Rule.Kind",
        "ChainEntryKindEnum": "journal.models.JournalEntry.Kind",
        "ClosedSideEnum": ["long", "short"],
        "ZoneSideEnum": ["longs", "shorts"],
        "PlanEntryKindEnum": "journal.models.plans.EntryKind",
        "HoleStateEnum": "market.api.source.STATES",
        "ZoneStateEnum": "heatmaps.models.Zone.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# A killed worker's message comes back only after the visibility timeout; the sweeper is quicker (bhweb/jobs.py).
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 2000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"discreet": {"()": "bhweb.logs.Discreet"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["discreet"]}},
    "root": {"handlers": ["console"], "level": environment.text("BH_LOG_LEVEL", "INFO")},
}
