"""Keys of model providers, data services, messengers and payment services."""

from __future__ import annotations

import json
import string
from random import Random

from ..model import Format
from ..randoms import BASE62, HEX, URLSAFE, b64, draw, guid, hexa, mixed
from .developer import _client, _plain

_OPENAI = _client(
    "OpenAI",
    ("OPENAI_API_KEY",),
    (
        "client = OpenAI(api_key={v})",
        "openai.api_key = {v}",
        "llm = ChatOpenAI(model='gpt-4o', openai_api_key={v})",
    ),
    variables=("openai_key", "api_key", "OPENAI_KEY", "key"),
)
_ANTHROPIC = _client(
    "Anthropic",
    ("ANTHROPIC_API_KEY",),
    ("client = anthropic.Anthropic(api_key={v})",),
    headers=("x-api-key: {v}",),
    variables=("claude_key", "api_key", "key"),
)
_HF = _client(
    "HuggingFace",
    ("HF_TOKEN", "HUGGINGFACE_HUB_TOKEN"),
    ("login(token={v})", "login({v})", "model = AutoModel.from_pretrained(name, use_auth_token={v})"),
    host="huggingface.co",
    shells=("huggingface-cli login --token {v}",),
)
_WANDB = _client(
    "wandb",
    ("WANDB_API_KEY",),
    ("wandb.login(key={v})",),
    variables=("wandb_key", "WANDB_KEY"),
    shells=("wandb login {v}",),
    files=((".netrc", "machine api.wandb.ai\n  login user\n  password {v}\n"),),
)
_KAGGLE = _client(
    "Kaggle",
    ("KAGGLE_KEY",),
    ("api.set_config_value('key', {v})",),
    variables=("kaggle_key", "KAGGLE_KEY"),
    keys=("key", "kaggle_key"),
    files=(("kaggle.json", '{{"username":"labuser","key":"{v}"}}'),),
)
_COHERE = _client(
    "Cohere",
    ("COHERE_API_KEY", "CO_API_KEY"),
    ("co = cohere.Client({v})", "co = cohere.ClientV2(api_key={v})"),
    variables=("cohere_key", "co_key"),
)
_MISTRAL = _client(
    "Mistral", ("MISTRAL_API_KEY",), ("client = Mistral(api_key={v})",), variables=("mistral_key", "api_key")
)
_NEPTUNE = _client(
    "Neptune",
    ("NEPTUNE_API_TOKEN",),
    ("run = neptune.init_run(project='lab/vqe', api_token={v})",),
    variables=("api_token", "neptune_token"),
    keys=("api_token",),
)
_PINECONE = _client(
    "Pinecone", ("PINECONE_API_KEY",), ("pc = Pinecone(api_key={v})",), headers=("Api-Key: {v}",)
)
_SIMPLE = _client("Replicate", ("REPLICATE_API_TOKEN",), ("client = replicate.Client(api_token={v})",))
_GROQ = _client("Groq", ("GROQ_API_KEY",), ("client = Groq(api_key={v})",))
_PPLX = _client(
    "Perplexity", ("PERPLEXITY_API_KEY", "PPLX_API_KEY"), ("llm = ChatPerplexity(pplx_api_key={v})",)
)
_LANGSMITH = _client(
    "LangSmith",
    ("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"),
    ("client = langsmith.Client(api_key={v})",),
    headers=("x-api-key: {v}",),
)
_SLACK = _client(
    "Slack", ("SLACK_BOT_TOKEN", "SLACK_TOKEN"), ("client = WebClient(token={v})", "app = App(token={v})")
)
_HOOK = _client(
    "Slack",
    ("SLACK_WEBHOOK_URL",),
    ("requests.post({v}, json={{'text': 'fertig'}})", "webhook = WebhookClient({v})"),
    variables=("webhook", "hook_url", "SLACK_HOOK"),
    keys=("webhook_url", "url"),
    headers=(),
)
_TELEGRAM = _client(
    "Telegram",
    ("TELEGRAM_BOT_TOKEN",),
    ("bot = telebot.TeleBot({v})", "app = ApplicationBuilder().token({v}).build()"),
    shells=("curl https://api.telegram.org/bot{v}/getMe",),
)
_DISCORD = _client(
    "Discord", ("DISCORD_TOKEN",), ("client.run({v})", "bot.run({v})"), headers=("Authorization: Bot {v}",)
)
_STRIPE = _client(
    "Stripe",
    ("STRIPE_SECRET_KEY", "STRIPE_API_KEY"),
    ("stripe.api_key = {v}",),
    shells=("curl https://api.stripe.com/v1/charges -u {v}:",),
)
_SENDGRID = _client(
    "SendGrid",
    ("SENDGRID_API_KEY",),
    ("sg = SendGridAPIClient({v})", "sg = sendgrid.SendGridAPIClient(api_key={v})"),
)
_TWILIO = _client(
    "Twilio", ("TWILIO_API_KEY",), ("client = Client({v}, api_secret, account_sid)",), headers=()
)
_TWILIO_AUTH = _client(
    "Twilio",
    ("TWILIO_AUTH_TOKEN",),
    ("client = Client(account_sid, {v})",),
    variables=("auth_token", "twilio_token", "TWILIO_AUTH"),
    keys=("auth_token",),
    headers=(),
)
_MAILGUN = _client(
    "Mailgun", ("MAILGUN_API_KEY",), ("requests.post(url, auth=('api', {v}), data=mail)",), headers=()
)
_MAILCHIMP = _client("Mailchimp", ("MAILCHIMP_API_KEY",), ("client.set_config({{'api_key': {v}}})",))
_SHOPIFY = _client(
    "Shopify",
    ("SHOPIFY_ACCESS_TOKEN",),
    ("session = shopify.Session(shop, '2024-07', {v})",),
    headers=("X-Shopify-Access-Token: {v}",),
)
_NOTION = _client("Notion", ("NOTION_TOKEN",), ("notion = Client(auth={v})",))
_AIRTABLE = _client("Airtable", ("AIRTABLE_API_KEY",), ("api = Api({v})",))
_SQUARE = _client("Square", ("SQUARE_ACCESS_TOKEN",), ("client = Square(token={v})",))
_WEATHER = _client(
    "OpenWeather",
    ("OPENWEATHER_API_KEY", "OWM_API_KEY"),
    ("owm = OWM({v})",),
    variables=("owm_key", "api_key", "weather_api_key"),
    keys=("appid", "api_key"),
    headers=("x-api-key: {v}",),
)


def _openai(rng: Random) -> str:
    if rng.random() < 0.3:
        return f"sk-{mixed(rng, 20)}T3BlbkFJ{mixed(rng, 20)}"
    return f"sk-{rng.choice(['proj', 'svcacct'])}-{mixed(rng, 74, URLSAFE)}T3BlbkFJ{mixed(rng, 74, URLSAFE)}"


def _hook(rng: Random) -> str:
    upper = string.ascii_uppercase + string.digits
    return (
        f"https://hooks.slack.com/services/T{draw(rng, upper, 10)}/B{draw(rng, upper, 10)}/{mixed(rng, 24)}"
    )


def _slack(rng: Random) -> str:
    number = lambda: draw(rng, string.digits[1:], 12)  # noqa: E731
    if rng.random() < 0.3:
        return f"xoxp-{number()}-{number()}-{number()}-{hexa(rng, 32)}"
    if rng.random() < 0.2:
        return f"xapp-1-A{draw(rng, string.ascii_uppercase + string.digits, 10)}-{number()}-{hexa(rng, 64)}"
    return f"xoxb-{number()}-{number()}-{mixed(rng, 24)}"


def _discord(rng: Random) -> str:
    ident = b64(draw(rng, string.digits[1:], 18).encode()).rstrip("=")
    return f"{ident}.{mixed(rng, 6, URLSAFE)}.{mixed(rng, 38, URLSAFE)}"


def _neptune(rng: Random) -> str:
    """Base64 of a small JSON document that holds an opaque key (Neptune client documentation)."""
    document = {
        "api_address": "https://app.neptune.ai",
        "api_url": "https://app.neptune.ai",
        "api_key": guid(rng),
    }
    return b64(json.dumps(document, separators=(",", ":")).encode())


_PLAIN = (
    ("Hugging Face", "token", "hf_", 34, string.ascii_letters, _HF),
    ("Replicate", "token", "r8_", 37, BASE62, _SIMPLE),
    ("Groq", "key", "gsk_", 52, BASE62, _GROQ),
    ("Perplexity", "key", "pplx-", 48, BASE62, _PPLX),
    ("Pinecone", "key", "pcsk_", 69, BASE62, _PINECONE),
    ("Stripe", "live key", "sk_live_", 24, BASE62, _STRIPE),
    ("Stripe", "long live key", "sk_live_51", 97, BASE62, _STRIPE),
    ("Stripe", "restricted key", "rk_live_", 24, BASE62, _STRIPE),
    ("Twilio", "API key", "SK", 32, HEX, _TWILIO),
    ("Mailgun", "key", "key-", 32, HEX, _MAILGUN),
    ("Shopify", "token", "shpat_", 32, HEX, _SHOPIFY),
    ("Notion", "token", "ntn_", 46, BASE62, _NOTION),
    ("Square", "token", "EAAA", 60, URLSAFE, _SQUARE),
)


def _letters(rng: Random) -> str:
    return "hf_" + draw(rng, string.ascii_letters, 34)


FORMATS = (
    Format("OpenAI", "API key", "structured", _openai, _OPENAI),
    Format(
        "Anthropic",
        "API key",
        "structured",
        lambda rng: f"sk-ant-api03-{mixed(rng, 93, URLSAFE)}AA",
        _ANTHROPIC,
    ),
    *(
        Format(v, n, "structured", _letters if v == "Hugging Face" else _plain(p, k, a), c)
        for v, n, p, k, a, c in _PLAIN
    ),
    Format(
        "LangSmith", "key", "structured", lambda rng: f"lsv2_pt_{hexa(rng, 32)}_{hexa(rng, 10)}", _LANGSMITH
    ),
    Format("Slack", "token", "structured", _slack, _SLACK),
    Format("Slack", "webhook", "structured", _hook, _HOOK, lambda value: value.rsplit("/", 1)[1]),
    Format(
        "Telegram",
        "bot token",
        "structured",
        lambda rng: f"{draw(rng, string.digits[1:], 10)}:AA{mixed(rng, 33, URLSAFE)}",
        _TELEGRAM,
    ),
    Format("Discord", "bot token", "structured", _discord, _DISCORD),
    Format(
        "SendGrid",
        "key",
        "structured",
        lambda rng: f"SG.{mixed(rng, 22, URLSAFE)}.{mixed(rng, 43, URLSAFE)}",
        _SENDGRID,
    ),
    Format(
        "Mailchimp", "key", "structured", lambda rng: f"{hexa(rng, 32)}-us{rng.randint(1, 21)}", _MAILCHIMP
    ),
    Format("Airtable", "token", "structured", lambda rng: f"pat{mixed(rng, 14)}.{hexa(rng, 64)}", _AIRTABLE),
    Format("Neptune", "token", "opaque", _neptune, _NEPTUNE),
    Format("W&B", "key", "opaque", lambda rng: hexa(rng, 40), _WANDB),
    Format("Kaggle", "key", "opaque", lambda rng: hexa(rng, 32), _KAGGLE),
    Format("Cohere", "key", "opaque", lambda rng: mixed(rng, 40), _COHERE),
    Format("Mistral", "key", "opaque", lambda rng: mixed(rng, 32), _MISTRAL),
    Format("Twilio", "auth token", "opaque", lambda rng: hexa(rng, 32), _TWILIO_AUTH),
    Format("OpenWeather", "key", "opaque", lambda rng: hexa(rng, 32), _WEATHER),
)
