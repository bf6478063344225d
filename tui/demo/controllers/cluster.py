"""One simulated cluster: reacts to what is written into its storage as controllers, scheduler and kubelets would."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from tui.demo.apiserver.storage import DELETED, Event, Storage
from tui.demo.clock import Clock, stamp
from tui.demo.content.clusters import ClusterSpec
from tui.demo.controllers import services, workloads
from tui.demo.controllers.cilium import POLICIES, Agents, cilium_node
from tui.demo.controllers.happenings import Happenings
from tui.demo.controllers.nodes import Node, bytes_of, node_object, nodes_of
from tui.demo.controllers.pods import (
    Fate,
    conditions,
    crash_delay,
    crashed,
    finished,
    placed,
    ready,
    restarts_of,
    running,
    waiting,
)

Obj = dict[str, Any]

WATCHED = ("deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch", "services")
OWNERS = {"ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps", "DaemonSet": "daemonsets.apps"}
OWNERS |= {"Job": "jobs.batch", "Deployment": "deployments.apps"}


class SimulatedCluster:
    """Controllers, scheduler, kubelets and Cilium agents of one cluster, driven by timers of the running loop.

    `fate` says what becomes of a container by its image. `settle` brings an object to its end state at once, in the
    past, without timers: that is how a cluster looks that has been running for months.
    """

    def __init__(
        self, spec: ClusterSpec, storage: Storage, clock: Clock, fate: Callable[[str], Fate], seed: int = 0
    ) -> None:
        self.spec = spec
        self.storage = storage
        self.clock = clock
        self.fate = fate
        self.random = random.Random(f"{seed}/{spec.name}")
        self.nodes: list[Node] = nodes_of(spec)
        self.agents = Agents(spec, storage, clock)
        self.happenings = Happenings(storage, clock)
        self.mirror: Callable[[str, Obj], None] | None = None  # told of every pod change: ("ADDED"|…, pod)
        self.progress: dict[tuple[str, str], tuple[Any, float]] = {}
        self._due: dict[tuple[str, str, str], asyncio.TimerHandle] = {}
        self.quiet = False  # while it is filled with what is old
        self._started = False
        self._service_number = 20

    # Beginning

    def populate(self, created: float) -> None:
        """Nodes and the namespaces that every cluster has."""
        now = self.clock.now()
        for name in ("kube-system", "default", "kube-public", "kube-node-lease"):
            self.storage.apply(_namespace(name, created))
        for node in self.nodes:
            self.storage.apply(node_object(self.spec, node, created + 60 * node.index, now))
            if not self.spec.host:
                self.storage.apply(cilium_node(node, self.spec, created + 60 * node.index))

    def start(self) -> None:
        """React to changes from now on. Needs a running loop."""
        if self._started:
            return
        self._started = True
        for resource in (*WATCHED, *(name for name in POLICIES if name in self.storage.resources)):
            self.storage.subscribe(resource, self._changed)
        self.storage.subscribe("pods", self._pod_changed)
        self.storage.subscribe("namespaces", self._namespace_changed)

    def stop(self) -> None:
        """React to nothing any more."""
        self._started = False
        for timer in self._due.values():
            timer.cancel()

    def settle(self, obj: Obj, when: float, older: list[tuple[Obj, float]] | None = None) -> None:
        """Bring a freshly applied object to where it would be long after `when` (seconds since the epoch).

        `older`: earlier forms of a Deployment with their times, oldest first.
        """
        resource = self.storage.resource_of(obj).name
        if resource in POLICIES:
            self.agents.judge(obj, when)
        elif resource == "namespaces":
            self.storage.update_status(resource, "", obj["metadata"]["name"], {"phase": "Active"})
        else:
            workloads.settle(self, resource, obj, when, older or [])

    # What happened

    def _changed(self, event: Event) -> None:
        if event.type == DELETED or self.quiet:
            return
        meta = event.new()["metadata"]
        self.enqueue(event.new(), 0.05 if event.previous else 0.3)
        if meta.get("deletionTimestamp"):
            self.storage.delete(self.storage.resource_of(event.new()).name, meta.get("namespace", ""), meta["name"])

    def _namespace_changed(self, event: Event) -> None:
        if event.type == "ADDED" and not event.new().get("status"):
            self.storage.update_status("namespaces", "", event.key, {"phase": "Active"})
        if event.type == "MODIFIED" and _labels(event.old()) != _labels(event.new()):
            self.agents.renew(event.key)

    def enqueue(self, obj: Obj, seconds: float) -> None:
        """Look at an object after so many demo seconds, once even if asked several times."""
        meta = obj["metadata"]
        self.enqueue_key((self.storage.resource_of(obj).name, meta.get("namespace", ""), meta["name"]), seconds)

    def enqueue_key(self, key: tuple[str, str, str], seconds: float) -> None:
        """As `enqueue`, by (resource, namespace, name)."""
        if not self._started:
            return
        timer = self._due.get(key)
        due = asyncio.get_running_loop().time() + seconds / self.clock.speed
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._due[key] = self.clock.later(seconds, self._reconcile, key)

    def _reconcile(self, key: tuple[str, str, str]) -> None:
        self._due.pop(key, None)
        obj = self.storage.find(*key)
        if obj is None:
            return
        try:
            if key[0] in POLICIES:
                self.agents.judge(obj, self.clock.now())
            else:
                workloads.reconcile(self, key[0], obj)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The API server here validates less than a real one: what slipped through is told, not obeyed.
            self.happenings.tell(obj, "ReconcileError", repr(error), "controller-manager", warning=True)

    def _pod_changed(self, event: Event) -> None:
        if self.quiet:
            return
        pod = event.new()
        if self.mirror:
            self.mirror(event.type, pod)
        if event.type == DELETED:
            for node in self.nodes:
                node.pods.pop(event.key, None)
        if event.type == DELETED or not services.same_behind(event.old(), pod):
            for service in services.selecting(self, pod):
                self.enqueue(service, 0.2)
        for owner in pod["metadata"].get("ownerReferences") or ():
            resource = OWNERS.get(owner["kind"])
            if resource == "replicasets.apps":
                parent = self.storage.find(resource, pod["metadata"]["namespace"], owner["name"])
                for grand in (parent or {"metadata": {}})["metadata"].get("ownerReferences") or ():
                    self.enqueue_key(("deployments.apps", pod["metadata"]["namespace"], grand["name"]), 0.1)
            elif resource:
                self.enqueue_key((resource, pod["metadata"]["namespace"], owner["name"]), 0.1)

    # Lives of pods

    def add_pod(self, pod: Obj, node: Node | None = None) -> None:
        """Create a pod and start its life."""
        made = self.storage.create(pod)
        self.clock.later(0.2 + self.random.random() * 0.3, self._schedule, _key(made), node)

    def place_pod(self, pod: Obj, when: float, node: Node | None = None, restarts: int = 0) -> None:
        """Create a pod that has been in its final state since `when`."""
        node = node or self._node_for(pod)
        pod["metadata"]["creationTimestamp"] = stamp(when)
        if node is None:
            pod["status"] = {**pod["status"], **self._unschedulable(pod, when)}
            self.storage.create(pod)
            return
        made = self._bound(pod, node, when)
        fate = self._fate_of(made)
        if fate.kind == "crashes":
            now = self.clock.now()
            runs = 4 + int((now - when) // 307)
            ended = now - self.random.uniform(10, 200)
            made["status"] = crashed(made, ended, fate, runs)
        elif fate.kind == "no-image":
            made["status"] = waiting(made, when + 3, "ImagePullBackOff", _pull_words(fate, made))
        else:
            made["status"] = running(made, when + 4, True)
            for entry in made["status"]["containerStatuses"] if restarts else ():
                entry["restartCount"] = restarts
        made = self.storage.create(made)
        self.agents.attach(made, node, when + 2)
        if fate.kind == "crashes":
            self._tell_back_off(made, ended, int((now - when) // 11), when + 20)

    def remove_pod(self, pod: Obj) -> None:
        """Ask a pod to end; it is gone a little later."""
        key = _key(pod)

        def end(obj: Obj) -> None:
            obj["metadata"]["deletionTimestamp"] = self.clock.stamp()
            obj["metadata"]["deletionGracePeriodSeconds"] = obj["spec"].get("terminationGracePeriodSeconds", 30)

        self.storage.patch("pods", *key, end)
        for container in pod["spec"]["containers"] if pod["spec"].get("nodeName") else ():
            self.happenings.tell(pod, "Killing", f"Stopping container {container['name']}", "kubelet")
        self.clock.later(1.0 + self.random.random() * 1.5, self._gone, key)

    def restart_container(self, pod: Obj, exit_code: int, words: str) -> None:
        """The container of a running pod ends and is started again: not ready for a moment, one restart more."""
        now = self.clock.now()
        restarts = restarts_of(pod) + 1

        def end(obj: Obj) -> None:
            obj["status"] = crashed(obj, now, Fate("crashes", exit_code, words), restarts, 3600)
            for entry in obj["status"]["containerStatuses"]:
                entry["state"] = {"running": {"startedAt": stamp(now)}}
                entry["started"] = True

        self.storage.patch("pods", *_key(pod), end)
        self.clock.later(4.0, self._ready, _key(pod))

    def _schedule(self, key: tuple[str, str], node: Node | None) -> None:
        pod = self.storage.find("pods", *key)
        if pod is None or pod["metadata"].get("deletionTimestamp"):
            return
        now = self.clock.now()
        node = node or self._node_for(pod)
        if node is None:
            status = {**pod["status"], **self._unschedulable(pod, now)}
            self.storage.update_status("pods", *key, status)
            words = status["conditions"][0]["message"]
            self.happenings.tell(pod, "FailedScheduling", words, "default-scheduler", warning=True)
            self.clock.later(10, self._schedule, key, None)
            return
        made = self._bound(pod, node, now)
        made["status"] = waiting(made, now, "ContainerCreating")
        self.storage.apply(made)
        words = f"Successfully assigned {'/'.join(key)} to {node.name}"
        self.happenings.tell(made, "Scheduled", words, "default-scheduler")
        self.clock.later(0.8 + self.random.random() * 1.2, self._run, key)

    def _run(self, key: tuple[str, str]) -> None:
        pod = self._alive(key)
        if pod is None:
            return
        now = self.clock.now()
        fate = self._fate_of(pod)
        if fate.kind == "no-image":
            self.storage.update_status("pods", *key, waiting(pod, now, "ErrImagePull", _pull_words(fate, pod)))
            self.happenings.tell(pod, "Failed", _pull_words(fate, pod), "kubelet", warning=True)
            self.clock.later(8, self._back_off_image, key)
            return
        status = running(pod, now, False)
        made = self.storage.update_status("pods", *key, status)
        self._tell_started(made)
        node = next(node for node in self.nodes if node.name == made["spec"]["nodeName"])
        self.agents.attach(made, node, now)
        if fate.kind == "crashes":
            self.clock.later(1.5, self._crash, key)
        elif fate.kind == "completes":
            self.clock.later(3.0 + self.random.random() * 2, self._complete, key)
        else:
            self.clock.later(1.0 + self.random.random() * 1.5, self._ready, key)

    def _ready(self, key: tuple[str, str]) -> None:
        pod = self._alive(key)
        if pod is not None and not ready(pod):
            self.storage.update_status("pods", *key, running(pod, self.clock.now(), True))

    def _crash(self, key: tuple[str, str]) -> None:
        pod = self._alive(key)
        if pod is not None:
            restarts = restarts_of(pod)
            made = self.storage.update_status(
                "pods", *key, crashed(pod, self.clock.now(), self._fate_of(pod), restarts)
            )
            self._tell_back_off(made, self.clock.now())
            self.clock.later(crash_delay(restarts + 1), self._start_again, key)

    def _start_again(self, key: tuple[str, str]) -> None:
        pod = self._alive(key)
        if pod is None:
            return
        status = running(pod, self.clock.now(), False)
        for entry in status["containerStatuses"]:
            entry["restartCount"] += 1
        self.storage.update_status("pods", *key, status)
        self.clock.later(2.0, self._crash, key)

    def _back_off_image(self, key: tuple[str, str]) -> None:
        pod = self._alive(key)
        if pod is not None:
            words = f'Back-off pulling image "{pod["spec"]["containers"][0]["image"]}"'
            made = self.storage.update_status("pods", *key, waiting(pod, self.clock.now(), "ImagePullBackOff", words))
            self.happenings.tell(made, "BackOff", words, "kubelet")
            self.happenings.tell(made, "Failed", "Error: ImagePullBackOff", "kubelet", warning=True)

    def _complete(self, key: tuple[str, str]) -> None:
        pod = self._alive(key)
        if pod is not None:
            self.storage.update_status("pods", *key, finished(pod, self.clock.now()))

    def _gone(self, key: tuple[str, str]) -> None:
        if self.storage.find("pods", *key):
            self.storage.delete("pods", *key)

    def _tell_started(self, pod: Obj) -> None:
        for container in pod["spec"]["containers"]:
            name, image = container["name"], container["image"]
            for reason, words in (
                ("Pulled", f'Container image "{image}" already present on machine'),
                ("Created", f"Created container: {name}"),
                ("Started", f"Started container {name}"),
            ):
                self.happenings.tell(pod, reason, words, "kubelet")

    def _tell_back_off(self, pod: Obj, when: float, count: int = 1, first: float | None = None) -> None:
        meta = pod["metadata"]
        container = pod["spec"]["containers"][0]["name"]
        words = (
            f"Back-off restarting failed container {container} in pod {meta['name']}_{meta['namespace']}({meta['uid']})"
        )
        self.happenings.tell(pod, "BackOff", words, "kubelet", True, when, max(1, count), first)

    # Places

    def _bound(self, pod: Obj, node: Node, when: float) -> Obj:
        key = "/".join(_key(pod))
        address = node.ip if pod["spec"].get("hostNetwork") else node.take(key)
        pod["spec"]["nodeName"] = node.name
        pod["status"] = placed(pod, when, node.name, node.ip, address)
        return pod

    def _node_for(self, pod: Obj) -> Node | None:
        wanted = self._memory_of(pod)
        usable = [node for node in self.nodes if not node.control and not node.cordoned]
        fitting = [node for node in usable if wanted <= node.memory]
        fitting = [node for node in fitting if len(node.pods) < node.room]
        return min(fitting, key=lambda node: (len(node.pods), node.index), default=None)

    def _memory_of(self, pod: Obj) -> int:
        requests = ((entry.get("resources") or {}).get("requests") or {} for entry in pod["spec"]["containers"])
        return sum(bytes_of(entry.get("memory", "0")) for entry in requests)

    def _unschedulable(self, pod: Obj, when: float) -> Obj:
        workers = [node for node in self.nodes if not node.control]
        why = "Insufficient memory" if any(self._memory_of(pod) > node.memory for node in workers) else "Too many pods"
        words = f"0/{len(self.nodes)} nodes are available: {len(workers)} {why}."
        found = conditions(when, False, False, "Pending", [])
        found[0] |= {"reason": "Unschedulable", "message": words}
        return {"conditions": found[:1]}

    def service_address(self) -> str:
        """The next cluster IP of a service."""
        self._service_number += 1
        return f"10.{128 + self.spec.number % 128}.{self._service_number // 250}.{self._service_number % 250 + 1}"

    def _fate_of(self, pod: Obj) -> Fate:
        fates = [self.fate(container["image"]) for container in pod["spec"]["containers"]]
        bad = next((fate for fate in fates if fate.kind != "runs"), Fate())
        if bad.kind == "runs" and pod["spec"].get("restartPolicy") != "Always":
            return Fate("completes")
        return bad

    def _alive(self, key: tuple[str, str]) -> Obj | None:
        pod = self.storage.find("pods", *key)
        return None if pod is None or pod["metadata"].get("deletionTimestamp") else pod


def _key(pod: Obj) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _labels(obj: Obj | None) -> Obj:
    return (obj or {"metadata": {}})["metadata"].get("labels") or {}


def _pull_words(fate: Fate, pod: Obj) -> str:
    image = pod["spec"]["containers"][0]["image"]
    return fate.last_words or f'failed to pull and unpack image "{image}": not found'


def _namespace(name: str, created: float) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/metadata.name": name},
            "creationTimestamp": stamp(created),
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
