from django.urls import path

from khien.checkpoints.views import barrier, declare, lists, offline

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
    path("checkpoint/offline", offline.page, name="offline"),
    path("checkpoint/worker.js", offline.worker, name="worker"),
    path("checkpoint/manifest.json", offline.manifest, name="manifest"),
    path("checkpoint/kit", offline.fetch_kit, name="kit"),
    path("checkpoint/sync", offline.sync, name="sync"),
    path("movements/", lists.notices, name="notices"),
    path("checkpoints/", lists.figures, name="figures"),
]
