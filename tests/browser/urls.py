"""The product's addresses, and /try/…: components with invented figures."""

from __future__ import annotations

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from khien.core.forms import DateField
from khien.web import urls as product
from khien.web.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django looks for them here


class Everything(forms.Form):
    name = forms.CharField(label="Họ và tên", help_text="Như trên thẻ")
    born = DateField(label="Ngày sinh")
    sex = forms.ChoiceField(label="Giới tính", widget=forms.RadioSelect, choices=[("m", "Nam"), ("f", "Nữ")])
    groups = forms.MultipleChoiceField(
        label="Nhóm", required=False, widget=forms.CheckboxSelectMultiple, choices=[("a", "Y tế"), ("b", "Giáo dục")]
    )
    vaccine = forms.ChoiceField(label="Vắc xin", choices=[("x", "Vắc xin X"), ("y", "Vắc xin Y")])
    note = forms.CharField(label="Ghi chú", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    agreed = forms.BooleanField(label="Tôi đồng ý")


def form(request: HttpRequest) -> HttpResponse:
    filled = Everything(request.POST or None)
    if request.method == "POST" and filled.is_valid():
        return HttpResponse(filled.cleaned_data["born"].isoformat())
    page = Paginator(range(90), 30).get_page(2)
    rows = [("Họ và tên", "Nguyễn Thị Ví Dụ"), ("Ngày sinh", "15/01/1990"), ("Địa chỉ", None, "#", "Sửa")]
    return render(request, "try/form.html", {"form": filled, "page": page, "rows": rows})


def scan(request: HttpRequest) -> HttpResponse:
    return render(request, "try/scan.html", {"read": request.POST.get("card")})


UNITS = [
    ("1", "Phường Một", 0.93),
    ("2", "Phường Hai", 0.71),
    ("3", "Xã Ba", 0.18),
    ("4", "Xã Bốn", None),
    ("5", "Đặc khu Năm", 0.55),
]


def figures(request: HttpRequest) -> HttpResponse:
    return render(request, "try/figures.html", {"units": UNITS, "empty": "empty" in request.GET})


def outlines(request: HttpRequest) -> JsonResponse:
    def square(at: int, name: str, *, inset: bool = False) -> dict[str, object]:
        x, y = at % 2 + 105, at // 2 + 15
        ring = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]
        properties = {"id": at + 1, "name": name, "inset": inset}
        return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}

    features = [square(at, name, inset=at == 4) for at, (_id, name, _value) in enumerate(UNITS)]
    return JsonResponse({"type": "FeatureCollection", "features": features})


def verdict(request: HttpRequest, tone: str) -> HttpResponse:
    words = {"go": "Được qua", "look": "Kiểm tra thêm", "stop": "Không được qua"}
    return render(
        request, "try/verdict.html", {"tone": tone, "word": words[tone], "reason": "Tờ khai còn hiệu lực đến 18:00"}
    )


def part(request: HttpRequest) -> HttpResponse:
    if "HX-Request" not in request.headers:
        return render(request, "try/part.html")
    if "refuse" in request.GET:
        return HttpResponse("<p data-focus tabindex=-1>Chưa được</p>", status=422)
    return HttpResponse("<p data-focus tabindex=-1>Đã nhận</p>") if request.method == "POST" else fail(request)


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on purpose")


urlpatterns = [
    *product.urlpatterns,
    path("try/form", form),
    path("try/scan", scan),
    path("try/figures", figures),
    path("try/outlines", outlines, name="try-outlines"),
    path("try/verdict/<tone>", verdict),
    path("try/part", part),
    path("try/fail", fail),
]
