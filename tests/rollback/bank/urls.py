from django.contrib import admin
from django.urls import path

from . import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", views.accounts),
    path("accounts-in-thread/", views.accounts_in_thread),
    path("transfer/", views.transfer),
    path("enter/", views.enter),
    path("whoami/", views.whoami),
]
