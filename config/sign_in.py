"""How staff sign in: the settings of Django, of django-allauth, and of the product's own rules.

The numbers are PCI DSS 8.2.8 and 8.3.4 to 8.3.7, where ASVS 5.0 does not ask for more.
"""

from config import env

# A person who does nothing for so long is signed out; every request begins it anew.
SESSION_COOKIE_AGE = env.integer("SESSION_IDLE_SECONDS", 15 * 60)
# However busy somebody is, after a working day the sign-in is shown again.
SESSION_LONGEST_SECONDS = env.integer("SESSION_LONGEST_SECONDS", 12 * 60 * 60)
SESSION_ENGINE = "payouts.sign_in.sessions"
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# Whoever has given a password only has so long to set up a second factor.
SET_UP_SECONDS = env.integer("SET_UP_SECONDS", 15 * 60)

# So many wrong tries lock an account for so long; second factors are counted by themselves.
SIGN_IN_TRIES = env.integer("SIGN_IN_TRIES", 10)
SIGN_IN_LOCK_SECONDS = env.integer("SIGN_IN_LOCK_SECONDS", 30 * 60)
# How long a second factor is fresh enough for a decision.
STEP_UP_SECONDS = env.integer("STEP_UP_SECONDS", 5 * 60)

# In the demo the page that asks for a code shows it. Production refuses to start with this.
DEMO_SHOWS_CODES = env.boolean("DEMO_SHOWS_CODES", default=False)

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "account_login"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "payouts.sign_in.passwords.LettersAndDigits"},
    {"NAME": "payouts.sign_in.passwords.NotOneOfTheLast", "OPTIONS": {"passwords": 4}},
]

ACCOUNT_ADAPTER = "payouts.sign_in.adapters.StaffAccounts"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {"login": "payouts.sign_in.forms.EnterForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SESSION_REMEMBER = False
# Its own limits live in each process's memory. Ours are counted in the database, for all of them.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False

MFA_ADAPTER = "payouts.sign_in.adapters.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# The device asks who holds it, so that a passkey is two factors by itself.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
# The code before counts too: it may have changed while it was being typed.
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "payouts.sign_in.forms.CodeForm",
    "authenticate_webauthn": "payouts.sign_in.forms.PasskeyForm",
    "activate_totp": "payouts.sign_in.forms.ActivateAppForm",
    "login_webauthn": "payouts.sign_in.forms.EnterByPasskeyForm",
    "add_webauthn": "payouts.sign_in.forms.NewPasskeyForm",
}
