"""URLs of the served project."""

from django.urls import path

from tests.served import views

urlpatterns = [
    path("empty/", views.empty),
    path("port/", views.port),
    path("author/<int:pk>/", views.author),
    path("asleep/", views.asleep),
    path("pair/<int:number>/", views.pair),
    path("stream/", views.stream),
    path("stream-in-block/", views.stream_in_block),
    path("iterated/", views.iterated),
    path("iterated-in-thread/", views.iterated_in_thread),
    path("large-file/", views.large_file),
    path("account/", views.account),
    path("upload/", views.upload),
    path("login/", views.log_in),
    path("synchronous/", views.synchronous),
    path("rendered/", views.rendered),
    path("form/", views.form),
    path("file/", views.file),
    path("broken/", views.broken),
    path("state/", views.state),
    path("at-rest/", views.at_rest),
]
