from django.urls import path

from khien.checkpoints.views import barrier, declare, lists

app_name = "checkpoints"
urlpatterns = [
    path("declare/", declare.declare, name="declare"),
    path("declare/communes", declare.suggestions, name="communes"),
    path("checkpoint/", barrier.barrier, name="barrier"),
    path("checkpoint/choose", barrier.choose, name="choose"),
    path("checkpoint/check", barrier.check, name="check"),
    path("checkpoint/record", barrier.record, name="record"),
    path("checkpoint/declare", declare.paper, name="paper"),
    path("checkpoint/shift", lists.shift, name="shift"),
    path("movements/", lists.notices, name="notices"),
    path("checkpoints/", lists.figures, name="figures"),
]
