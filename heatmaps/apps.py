from django.apps import AppConfig


class HeatmapsConfig(AppConfig):
    name = "heatmaps"
