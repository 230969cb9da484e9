from django.apps import AppConfig


class BhwebConfig(AppConfig):
    name = "bhweb"
