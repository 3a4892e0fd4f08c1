"""An API as one writes it for stock DRF; another test changes its import lines and nothing else."""

import django_filters
from django.db.models import Count
from django.http import Http404
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, inline_serializer
from drf_spectacular.views import SpectacularAPIView
from rest_framework import (
    authentication,
    filters,
    generics,
    mixins,
    pagination,
    permissions,
    routers,
    serializers,
    status,
    throttling,
    versioning,
    views,
    viewsets,
)
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.urlpatterns import format_suffix_patterns
from rest_framework.validators import UniqueTogetherValidator

from tests.testapp.models import Article, Author, Event, Measure, Profile, Tag


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["id", "name"]


class ProfileSerializer(serializers.ModelSerializer):
    class Meta:
        model = Profile
        fields = ["bio"]


class AuthorSerializer(serializers.ModelSerializer):
    profile = ProfileSerializer(read_only=True)

    class Meta:
        model = Author
        fields = ["id", "name", "age", "profile"]
        validators = [
            UniqueTogetherValidator(queryset=Author.objects.all(), fields=["name", "age"])
        ]

    def validate_age(self, value):
        if value > 150:
            raise serializers.ValidationError("Too old.", code="old")
        return value


class ArticleSerializer(serializers.ModelSerializer):
    author = AuthorSerializer(read_only=True)
    author_id = serializers.PrimaryKeyRelatedField(
        source="author", queryset=Author.objects.all(), write_only=True
    )
    tags = serializers.SlugRelatedField(slug_field="name", many=True, queryset=Tag.objects.all())
    siblings = serializers.SerializerMethodField()

    class Meta:
        model = Article
        fields = ["id", "title", "views", "is_published", "metadata", "author", "author_id"]
        fields += ["editor", "tags", "siblings"]

    def get_siblings(self, article) -> int:
        return article.author.articles.exclude(pk=article.pk).count()

    def validate(self, attrs):
        if attrs.get("title") == attrs.get("metadata", {}).get("title", ""):
            raise serializers.ValidationError("Say it once.")
        return attrs


class DeepSerializer(serializers.ModelSerializer):
    articles = ArticleSerializer(many=True)

    class Meta:
        model = Author
        fields = ["name", "articles"]

    def create(self, validated_data):
        articles = validated_data.pop("articles")
        author = super().create(validated_data)
        for article in articles:
            tags = article.pop("tags")
            Article.objects.create(**{**article, "author": author}).tags.set(tags)
        return author


class LinkSerializer(serializers.HyperlinkedModelSerializer):
    class Meta:
        model = Author
        fields = ["url", "name", "age"]
        extra_kwargs = {"url": {"view_name": "author-detail"}}


class ArticleFilter(django_filters.FilterSet):
    author = django_filters.CharFilter(field_name="author__name")
    least = django_filters.NumberFilter(field_name="views", lookup_expr="gte")

    class Meta:
        model = Article
        fields = ["is_published", "tags"]


class IsReader(permissions.BasePermission):
    message = "Only readers."

    def has_permission(self, request, view):
        return Author.objects.filter(name=request.headers.get("X-Reader", "")).exists()

    def has_object_permission(self, request, view, obj):
        return obj.author.name == request.headers["X-Reader"]


class TwoAMinute(throttling.SimpleRateThrottle):
    rate = "2/min"
    scope = "two"

    def get_cache_key(self, request, view):
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class Pages(pagination.PageNumberPagination):
    page_size = 2
    page_size_query_param = "size"


class Slices(pagination.LimitOffsetPagination):
    default_limit = 3


class Cursors(pagination.CursorPagination):
    page_size = 2
    ordering = ("-views", "id")


class Teapot(APIException):
    status_code = 418
    default_detail = "Short and stout."


class ArticleViewSet(viewsets.ModelViewSet):
    """Articles of all authors."""

    queryset = Article.objects.select_related("author__profile").prefetch_related("tags")
    serializer_class = ArticleSerializer
    pagination_class = Pages
    filter_backends = [DjangoFilterBackend, filters.SearchFilter, filters.OrderingFilter]
    filterset_class = ArticleFilter
    search_fields = ["title", "^author__name"]
    ordering_fields = ["title", "views"]

    @extend_schema(responses=TagSerializer(many=True))
    @action(detail=True, methods=["get"])
    def labels(self, request, pk=None):
        return Response(TagSerializer(self.get_object().tags.order_by("-name"), many=True).data)

    @extend_schema(request=TagSerializer, responses=TagSerializer)
    @labels.mapping.post
    def add_label(self, request, pk=None):
        serializer = TagSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.get_object().tags.add(serializer.save())
        return Response(serializer.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=inline_serializer("Total", {"total": serializers.IntegerField()}))
    @action(detail=False, permission_classes=[permissions.IsAuthenticated])
    def total(self, request):
        return Response({"total": self.get_queryset().count(), "user": request.user.username})

    @method_decorator(never_cache)
    @action(detail=False, url_path="by-author", pagination_class=None, filter_backends=[])
    def by_author(self, request):
        found = Author.objects.annotate(written=Count("articles")).order_by("name")
        return Response(list(found.values("name", "written")))


class AuthorViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Author.objects.order_by("id")
    serializer_class = LinkSerializer
    pagination_class = Slices


class DeepViewSet(mixins.CreateModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    queryset = Author.objects.order_by("id").prefetch_related("articles__tags")
    serializer_class = DeepSerializer


class ByCursor(generics.ListAPIView):
    queryset = Article.objects.all()
    serializer_class = ArticleSerializer
    pagination_class = Cursors


class TagList(generics.ListCreateAPIView):
    queryset = Tag.objects.order_by("name")
    serializer_class = TagSerializer


class TagDetail(generics.RetrieveUpdateDestroyAPIView):
    queryset = Tag.objects.all()
    serializer_class = TagSerializer
    lookup_field = "name"


class Guarded(generics.RetrieveAPIView):
    queryset = Article.objects.all()
    serializer_class = ArticleSerializer
    permission_classes = [IsReader | permissions.IsAdminUser]


class Owned(generics.ListAPIView):
    queryset = Event.objects.all()
    serializer_class = TagSerializer
    permission_classes = [permissions.DjangoModelPermissions & ~IsReader]


class Whoami(views.APIView):
    authentication_classes = [
        authentication.TokenAuthentication,
        authentication.BasicAuthentication,
        authentication.SessionAuthentication,
    ]
    permission_classes = [permissions.IsAuthenticated]

    @extend_schema(request=None, responses=inline_serializer("Who", {"u": serializers.CharField()}))
    def get(self, request):
        return Response({"user": str(request.user), "auth": str(request.auth)})

    post = get


class Versioned(views.APIView):
    versioning_class = versioning.AcceptHeaderVersioning

    @extend_schema(responses=None)
    def get(self, request):
        return Response({"version": request.version})


class Failing(views.APIView):
    @extend_schema(responses=None)
    def get(self, request, how):
        if how == "teapot":
            raise Teapot
        if how == "invalid":
            raise ValidationError({"name": ["no"]})
        if how == "missing":
            raise Http404
        Measure.objects.get(pk=Author.objects.count())


@extend_schema(request=TagSerializer, responses=TagSerializer)
@api_view(["GET", "POST"])
@permission_classes([permissions.AllowAny])
def first_tag(request):
    """The first tag of all."""
    if request.method == "POST":
        serializer = TagSerializer(Tag.objects.earliest("pk"), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)
    return Response(TagSerializer(Tag.objects.earliest("pk")).data)


router = routers.DefaultRouter()
router.register("articles", ArticleViewSet)
router.register("authors", AuthorViewSet)
router.register("deep", DeepViewSet, basename="deep")

throttled = TagList.as_view(throttle_classes=[TwoAMinute])
urlpatterns = [
    path("", include(router.urls)),
    path("cursor/", ByCursor.as_view()),
    path("tags/<str:name>/", TagDetail.as_view()),
    path("guarded/<int:pk>/", Guarded.as_view()),
    path("owned/", Owned.as_view()),
    path("whoami/", Whoami.as_view()),
    path("versioned/", Versioned.as_view()),
    path("failing/<str:how>/", Failing.as_view()),
    path("first/", first_tag),
    path("throttled/", throttled),
    path("schema/", SpectacularAPIView.as_view()),
    *format_suffix_patterns([path("tags", TagList.as_view())]),
]
