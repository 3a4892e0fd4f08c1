"""The schema extension that runs every resolver in the bridge."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from inspect import isawaitable
from typing import Any

from django.db.models import Model
from graphql import GraphQLResolveInfo
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

from turbo_orm import ConnectionLimit, await_, eager, portal

from .documents import Document, documents_of, passes, spare_validation
from .fields import INTROSPECTION, MISSING, Reading, is_mutation, is_plain_chain, reading_of
from .instances import OperationExtension
from .operation import Operation
from .results import completed, counted
from .subscriptions import bridge_subscriptions
from .synchronous import is_synchronous

# Of a pool of ten, the default.
MAX_CONNECTIONS = 4
MAX_DOCUMENTS = 128


class Unfinished:
    """An awaitable that a resolver returned at once, for the task that wants its result."""

    __slots__ = ("awaitable",)

    def __init__(self, awaitable: Any) -> None:
        self.awaitable = awaitable


class TurboExtension(OperationExtension):
    """Runs the resolvers of an asynchronous execution on the event loop, without a thread.

    Args:
        max_connections: how many connections of each database the fields of one operation may have
            at once; None for as many as the pool gives. A transaction has one.
        max_documents: how many documents are remembered as parsed and valid; 0 for none.
        execution_context: strawberry's.

    Fields that stand side by side run side by side. Synchronous resolvers may use the ORM in any
    way, coroutines too. Synchronous execution stays as it is.
    """

    def __init__(
        self,
        *,
        max_connections: int | None = MAX_CONNECTIONS,
        max_documents: int = MAX_DOCUMENTS,
        execution_context: ExecutionContext | None = None,
    ) -> None:
        super().__init__(execution_context=execution_context)
        self._max_connections = max_connections
        self._max_documents = max_documents
        self.begin()

    def begin(self) -> None:
        """Forget what is known of an operation."""
        most = self._max_connections
        self._operation = Operation(None if most is None else ConnectionLimit(most))
        self._readings: dict[Callable[..., Any], Reading] = {}
        self._document: Document | None = None

    def on_operation(self) -> Iterator[None]:
        """Leave no field behind."""
        try:
            yield
        finally:
            # What `@defer` and `@stream` put off goes on.
            if not hasattr(self.execution_context.result, "subsequent_results"):
                self._operation.pending.end()

    def on_parse(self) -> Iterator[None]:
        """Spare the parsing of a document that is known."""
        context = self.execution_context
        if not self._max_documents or context.graphql_document is not None:
            yield
            return
        documents = documents_of(context.schema)
        self._document = documents.find(context)
        if self._document is not None:
            context.graphql_document = self._document.node
        yield
        if self._document is None:
            self._document = documents.remember(context, self._max_documents)

    def on_validate(self) -> Iterator[None]:
        """Spare the validation of a document that is known to be valid."""
        document, context = self._document, self.execution_context
        if document is not None and document.valid:
            spare_validation(context)
        yield
        if document is not None and not document.valid:
            document.valid = passes(context)

    def on_execute(self) -> Iterator[None]:
        """Let the generators of subscriptions run in the bridge."""
        if self.execution_context.operation_type is not OperationType.SUBSCRIPTION:
            yield
            return
        bridge_subscriptions(self.execution_context.schema)
        with self._operation.entered():
            yield

    def resolve(
        self,
        _next: Callable[..., Any],
        root: Any,
        info: GraphQLResolveInfo[Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Return the value of a field, or a coroutine for it if it has to wait.

        Args:
            _next: the resolver, with the other extensions around it.
            root: the object that has the field.
            info: graphql-core's.
            *args: what else graphql-core gives.
            **kwargs: the arguments of the field.
        """
        # Called for every field of every object: the look-ups of a resolver are made once.
        reading = self._readings.get(_next)
        if reading is None:
            reading = self._readings[_next] = self._reading(_next, info)
        kind = type(root)
        value = (reading.readers.get(kind) or reading.reader(kind))(root)
        if value is not MISSING:
            return counted(value) if reading.has_nodes else value
        if is_synchronous() or reading is INTROSPECTION:
            return _next(root, info, *args, **kwargs)
        return self._run(_next, reading, root, info, *args, **kwargs)

    def _reading(self, _next: Callable[..., Any], info: GraphQLResolveInfo[Any]) -> Reading:
        reading = reading_of(info)
        if reading is INTROSPECTION or is_plain_chain(_next):
            return reading
        # Another extension wants to see every value.
        return Reading(info.parent_type.fields[info.field_name], plain=False)

    def _run(
        self,
        _next: Callable[..., Any],
        reading: Reading,
        root: Any,
        info: GraphQLResolveInfo[Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if is_mutation(info):
            # graphql-core 3.2 calls the resolvers of all mutations at once, and awaits one after
            # the other: none may begin before that.
            rest = self._in_turn(_next, reading, root, info, *args, **kwargs)
            return self._operation.pending.added(rest, rest)

        waits = False
        loading = root if reading.may_load and isinstance(root, Model) else None

        def job() -> Any:
            operation = self._operation
            with operation.entered():
                with operation.loads.turn(loading):
                    result = _next(root, info, *args, **kwargs)
                if isawaitable(result):
                    if not waits:
                        return Unfinished(result)
                    result = await_(result, suspending=True)
                return self._completed(result, reading, info)

        value = eager(job)
        # From here on the job, if it is not done, runs in the task that awaits it.
        waits = True
        if type(value) is Unfinished:
            coroutine = self._finish(value, reading, info)
            return self._operation.pending.added(coroutine, value.awaitable)
        return self._operation.pending.added(value) if isinstance(value, Coroutine) else value

    async def _in_turn(
        self,
        _next: Callable[..., Any],
        reading: Reading,
        root: Any,
        info: GraphQLResolveInfo[Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        async def called() -> Any:
            with self._operation.entered():
                result = _next(root, info, *args, **kwargs)
                if isawaitable(result):
                    result = await result
                return self._completed(result, reading, info)

        return await portal(called())

    async def _finish(
        self, rest: Unfinished, reading: Reading, info: GraphQLResolveInfo[Any]
    ) -> Any:
        # In one task from its first step to its last: a transaction belongs to the task that began
        # it, and graphql-core awaits a field in another than that which called its resolver.
        return await portal(self._awaited(rest, reading, info))

    async def _awaited(
        self, rest: Unfinished, reading: Reading, info: GraphQLResolveInfo[Any]
    ) -> Any:
        with self._operation.entered():
            return self._completed(await rest.awaitable, reading, info)

    def _completed(self, value: Any, reading: Reading, info: GraphQLResolveInfo[Any]) -> Any:
        return completed(value, reading, info, self._operation) if reading.is_list else value
