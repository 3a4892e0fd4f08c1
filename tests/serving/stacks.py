"""The middleware stacks, by the name that a scenario gives."""

_OURS = "tests.serving.middleware"

DEFAULTS = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
FUNCTIONS = [
    f"{_OURS}.functions.synchronous",
    f"{_OURS}.functions.asynchronous",
    f"{_OURS}.functions.either",
]
CLASSES = [
    f"{_OURS}.classes.Mixin",
    f"{_OURS}.classes.SynchronousHooks",
    f"{_OURS}.classes.AsynchronousHooks",
    f"{_OURS}.classes.Either",
]

STACKS: dict[str, list[str]] = {
    "none": [],
    "defaults": DEFAULTS,
    "content": [
        "django.middleware.gzip.GZipMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        *DEFAULTS[:2],
        "django.middleware.locale.LocaleMiddleware",
        *DEFAULTS[2:],
    ],
    "site cache": [
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.cache.FetchFromCacheMiddleware",
    ],
    "functions": FUNCTIONS,
    "functions, turned": FUNCTIONS[::-1],
    "functions among defaults": [
        FUNCTIONS[0],
        *DEFAULTS[:3],
        FUNCTIONS[1],
        *DEFAULTS[3:],
        FUNCTIONS[2],
    ],
    "alternating": [
        FUNCTIONS[0],
        FUNCTIONS[1],
        CLASSES[1],
        CLASSES[2],
        CLASSES[0],
        FUNCTIONS[2],
        CLASSES[3],
        FUNCTIONS[1],
        FUNCTIONS[0],
    ],
    "classes": CLASSES,
    "classes, turned": CLASSES[::-1],
    "not used": [FUNCTIONS[0], f"{_OURS}.breaking.NotUsed", FUNCTIONS[2]],
    "short circuit": [*FUNCTIONS, f"{_OURS}.breaking.ShortCircuit", CLASSES[0]],
    "asynchronous short circuit": [
        *FUNCTIONS,
        f"{_OURS}.breaking.asynchronous_short_circuit",
        CLASSES[0],
    ],
    "raises before": [FUNCTIONS[0], CLASSES[0], f"{_OURS}.breaking.RaisesBefore", FUNCTIONS[1]],
    "raises after": [FUNCTIONS[0], CLASSES[0], f"{_OURS}.breaking.RaisesAfter", FUNCTIONS[1]],
    "asynchronous raises after": [FUNCTIONS[0], f"{_OURS}.breaking.asynchronous_raises_after"],
    "view refused": [*CLASSES, f"{_OURS}.breaking.ViewRefused", CLASSES[1]],
    "view refused asynchronously": [*CLASSES, f"{_OURS}.breaking.ViewRefusedAsynchronously"],
    "exception answered": [CLASSES[1], f"{_OURS}.breaking.ExceptionAnswered", CLASSES[0]],
    "exception answered asynchronously": [
        f"{_OURS}.breaking.ExceptionAnsweredAsynchronously",
        CLASSES[0],
    ],
    "exception hook raises": [FUNCTIONS[2], f"{_OURS}.breaking.ExceptionHookRaises"],
    "no response": [FUNCTIONS[0], f"{_OURS}.breaking.no_response", FUNCTIONS[2]],
    "template response lost": [CLASSES[0], f"{_OURS}.breaking.TemplateResponseLost"],
    "context changed": [
        f"{_OURS}.classes.ContextChanged",
        f"{_OURS}.classes.ContextChangedAsynchronously",
    ],
    "other urls": [*DEFAULTS, f"{_OURS}.classes.OtherUrls"],
    "context variables": [
        f"{_OURS}.contextual.synchronous",
        f"{_OURS}.contextual.Mixin",
        f"{_OURS}.contextual.asynchronous",
        f"{_OURS}.contextual.either",
    ],
    "context variables, turned": [
        f"{_OURS}.contextual.either",
        f"{_OURS}.contextual.asynchronous",
        f"{_OURS}.contextual.Mixin",
        f"{_OURS}.contextual.synchronous",
    ],
    "in tasks": [
        f"{_OURS}.tasks.in_a_task",
        FUNCTIONS[0],
        f"{_OURS}.tasks.with_a_limit",
        CLASSES[1],
        f"{_OURS}.tasks.shielded",
    ],
    "in tasks among defaults": [
        *DEFAULTS[:2],
        f"{_OURS}.tasks.in_a_task",
        *DEFAULTS[2:],
        f"{_OURS}.tasks.with_a_limit",
    ],
    "hopping": [CLASSES[0], f"{_OURS}.tasks.hopping", FUNCTIONS[0]],
    "asking a coroutine": [FUNCTIONS[1], f"{_OURS}.tasks.asking_a_coroutine", CLASSES[0]],
    "own calls": [
        f"{_OURS}.tasks.OwnCall",
        f"{_OURS}.tasks.SynchronousCall",
        f"{_OURS}.tasks.OwnCall",
        FUNCTIONS[1],
        f"{_OURS}.tasks.OwnCall",
    ],
    "queries": [
        *DEFAULTS,
        f"{_OURS}.querying.synchronous",
        f"{_OURS}.querying.asynchronous",
        f"{_OURS}.querying.Mixin",
    ],
}
