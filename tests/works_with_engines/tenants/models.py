"""Tenants and their hosts, in the public schema."""

from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    # Their schemas and tables are made by `making`.
    auto_create_schema = False


class Domain(DomainMixin):
    pass
