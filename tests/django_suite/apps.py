"""Which of Django's test applications are run."""

from __future__ import annotations

import re
from pathlib import Path

GROUPS = {
    "querysets": """
        aggregation aggregation_regress annotations bulk_create dates datetimes db_functions defer
        defer_regress distinct_on_fields expressions expressions_case expressions_window
        extra_regress filtered_relation get_earliest_or_latest get_object_or_404 get_or_create
        known_related_objects lookup null_fk null_fk_ordering null_queries or_lookups ordering
        pagination prefetch_related queries queryset_pickle raw_query reverse_lookup
        select_for_update select_related select_related_onetoone select_related_regress
        string_lookup update update_only_fields xor_lookups
    """,
    "models and relations": """
        basic composite_pk constraints contenttypes_tests custom_columns custom_lookups
        custom_managers custom_methods custom_pk datatypes delete delete_regress empty_models
        field_deconstruction field_defaults field_subclassing force_insert_update foreign_object
        from_db_value generic_relations generic_relations_regress m2m_and_m2o m2m_intermediary
        m2m_multiple m2m_recursive m2m_regress m2m_signals m2m_through m2m_through_regress
        m2o_recursive many_to_many many_to_one many_to_one_null max_lengths model_fields
        model_formsets model_formsets_regress model_forms model_indexes model_inheritance
        model_inheritance_regress model_meta model_options model_regress model_utils
        mutually_referential nested_foreign_keys one_to_one order_with_respect_to properties
        proxy_model_inheritance proxy_models reserved_names save_delete_hooks swappable_models
        unmanaged_models validation
    """,
    "database and transactions": """
        async db_typecasts db_utils fixtures fixtures_regress indexes introspection
        multiple_database postgres_tests schema serializers sessions_tests signals sites_tests
        timezones transaction_hooks transactions
    """,
    "applications": """
        auth_tests admin_views admin_changelist admin_inlines admin_utils admin_filters
        generic_views generic_inline_admin messages_tests flatpages_tests redirects_tests
        cache.tests.DBCacheTests cache.tests.DBCacheWithTimeZoneTests test_client
        test_client_regress modeladmin forms_tests
    """,
    "requests": """
        asgi handlers middleware middleware_exceptions csrf_tests sessions_tests auth_tests
        messages_tests view_tests test_client test_client_regress decorators logging_tests
        requests_tests responses httpwrappers signed_cookies_tests staticfiles_tests
        conditional_processing shortcuts urlpatterns_reverse
    """,
}
# Any synchronous Django code may run in the bridge; the other modes are about the ORM.
BRIDGE_ONLY = frozenset({"applications"})
SERVING_ONLY = frozenset({"requests"})

# How much longer than others the tests of an application take: they hash passwords, render pages.
HEAVY = {"auth_tests": 3, "admin_views": 3}


def groups_of(mode: str) -> dict[str, list[str]]:
    """Return the applications of a mode by group."""
    if mode == "serving":
        names = SERVING_ONLY
    elif mode == "bridge":
        names = GROUPS.keys() - SERVING_ONLY
    else:
        names = GROUPS.keys() - SERVING_ONLY - BRIDGE_ONLY
    return {name: text.split() for name, text in GROUPS.items() if name in names}


def chosen(mode: str, only: str, folder: Path) -> list[str]:
    """Return the applications to run: those asked for, or all that this Django has."""
    wanted = only.split() or [app for apps in groups_of(mode).values() for app in apps]
    return [app for app in wanted if (folder / app.partition(".")[0]).is_dir()]


def group_of(test: str, mode: str) -> str:
    """Return the group that a test belongs to."""
    app = test.partition(".")[0]
    for name, labels in groups_of(mode).items():
        if app in {label.partition(".")[0] for label in labels}:
            return name
    return "others"


def shared_out(apps: list[str], folder: Path, jobs: int) -> list[list[str]]:
    """Share the applications out so that each process has about as much to do."""
    shares: list[tuple[int, list[str]]] = [(0, []) for _ in range(jobs)]
    weights = {app: _weight(folder, app.partition(".")[0]) for app in apps}
    for app in sorted(apps, key=lambda app: -weights[app]):
        shares.sort(key=lambda share: share[0])
        weight, names = shares[0]
        shares[0] = weight + weights[app], [*names, app]
    return [names for _, names in shares if names]


def _weight(folder: Path, app: str) -> int:
    pattern = re.compile(r"\bdef test_")
    files = (folder / app).rglob("*.py")
    tests = sum(len(pattern.findall(file.read_text("utf-8"))) for file in files)
    return tests * HEAVY.get(app, 1)
