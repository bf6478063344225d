"""Schemas of the kinds people edit, in outline notation: field names and types as the APIs have them, our own words.

Objects that end in `...` are known in part only and say so in the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tui.demo.apiserver.outline import parse
from tui.demo.apiserver.schemas_custom import CUSTOM, CUSTOM_PARTS

_PARTS = {
    "selector": """
        matchLabels map Labels that must all be there, with these values.
        matchExpressions [obj] Conditions that must all hold.
          key! str
          operator! In|NotIn|Exists|DoesNotExist
          values [str]
    """,
    "condition": """
        type! str
        status! True|False|Unknown
        reason str
        message str
        lastTransitionTime time
        ...
    """,
    "probe": """
        httpGet obj A GET that must answer with a status from 200 to 399.
          path str
          port! port
          host str
          scheme HTTP|HTTPS
          httpHeaders [obj]
            name! str
            value! str
        tcpSocket obj A connection that must be accepted.
          port! port
          host str
        grpc obj A gRPC health check.
          port! int
          service str
        exec obj A command that must end with 0.
          command [str]
        initialDelaySeconds int Seconds to wait after the start.
        periodSeconds int Seconds between two probes.
        timeoutSeconds int Seconds to wait for an answer.
        successThreshold int
        failureThreshold int
        terminationGracePeriodSeconds int
    """,
    "keyref": """
        name str
        key! str
        optional bool
    """,
    "container": """
        name! str Unique in the pod.
        image str The image to run, with tag or digest.
        imagePullPolicy Always|IfNotPresent|Never When the image is pulled.
        command [str] Replaces the image's entry point.
        args [str] Arguments of the entry point.
        workingDir str
        env [obj] Environment variables.
          name! str
          value str
          valueFrom obj Where the value comes from.
            configMapKeyRef &keyref
            secretKeyRef &keyref
            fieldRef obj
              fieldPath! str
              apiVersion str
            resourceFieldRef obj
              resource! str
              containerName str
              divisor port
        envFrom [obj] All keys of a ConfigMap or Secret as environment variables.
          prefix str
          configMapRef obj
            name str
            optional bool
          secretRef obj
            name str
            optional bool
        ports [obj] Ports that the container listens on.
          containerPort! int
          name str
          protocol TCP|UDP|SCTP
          hostPort int
          hostIP str
        resources obj What it needs and what it may use at most.
          requests {port} What the scheduler sets aside: cpu, memory, ephemeral-storage.
          limits {port} What it may not exceed.
          claims [obj]
            name! str
            request str
        volumeMounts [obj] Where volumes appear in the file system.
          name! str
          mountPath! str
          subPath str
          subPathExpr str
          readOnly bool
          recursiveReadOnly str
          mountPropagation str
        volumeDevices [obj]
          name! str
          devicePath! str
        livenessProbe &probe
        readinessProbe &probe
        startupProbe &probe
        lifecycle obj
          ...
        securityContext obj Privileges of its processes.
          ...
        terminationMessagePath str
        terminationMessagePolicy File|FallbackToLogsOnError
        resizePolicy [any]
        restartPolicy str Always makes an init container a sidecar.
        stdin bool
        stdinOnce bool
        tty bool
    """,
    "podspec": """
        containers! [&container] The containers of the pod; at least one.
        initContainers [&container] Containers that run to their end before the others start.
        ephemeralContainers [any]
        volumes [obj] What containers may mount.
          name! str
          ...
        nodeName str The node it runs on.
        nodeSelector map Labels that the node must have.
        affinity obj Which nodes and neighbours it prefers or needs.
          ...
        tolerations [obj] Taints it puts up with.
          key str
          operator Exists|Equal
          value str
          effect NoSchedule|PreferNoSchedule|NoExecute
          tolerationSeconds int
        topologySpreadConstraints [obj] How pods spread over zones and nodes.
          maxSkew! int
          topologyKey! str
          whenUnsatisfiable! DoNotSchedule|ScheduleAnyway
          labelSelector &selector
          ...
        serviceAccountName str The account its processes act as.
        serviceAccount str
        automountServiceAccountToken bool
        restartPolicy Always|OnFailure|Never
        terminationGracePeriodSeconds int Seconds between the request to end and the kill.
        activeDeadlineSeconds int
        imagePullSecrets [obj]
          name str
        priorityClassName str
        priority int
        preemptionPolicy str
        schedulerName str
        schedulingGates [any]
        runtimeClassName str
        readinessGates [obj]
          conditionType! str
        securityContext obj Privileges of all its containers.
          ...
        hostNetwork bool
        hostPID bool
        hostIPC bool
        hostUsers bool
        hostAliases [any]
        hostname str
        subdomain str
        setHostnameAsFQDN bool
        shareProcessNamespace bool
        dnsPolicy str
        dnsConfig any
        enableServiceLinks bool
        overhead any
        os any
        resourceClaims [any]
        resources any
    """,
    "template": """
        metadata obj Labels and annotations of the pods.
          labels map
          annotations map
          ...
        spec &podspec What the pods run.
    """,
    "peer": """
        podSelector &selector
        namespaceSelector &selector
        ipBlock obj
          cidr! str
          except [str]
    """,
    "netport": """
        protocol TCP|UDP|SCTP
        port port
        endPort int
    """,
}
_PARTS["jobspec"] = """
  template! &template What the pods of the job are.
  parallelism int How many run at once.
  completions int How many must succeed.
  completionMode NonIndexed|Indexed
  backoffLimit int How many failures are too many.
  activeDeadlineSeconds int
  ttlSecondsAfterFinished int Seconds after its end until it is deleted.
  suspend bool
  selector &selector
  manualSelector bool
  ...
"""
_KINDS: dict[str, str] = {
    "pods": """
        spec &podspec What runs.
        status obj What is known about it now.
          phase Pending|Running|Succeeded|Failed|Unknown
          podIP str
          hostIP str
          startTime time
          conditions [&condition]
          ...
    """,
    "services": """
        spec obj How it is reached, and which pods answer.
          type ClusterIP|NodePort|LoadBalancer|ExternalName
          selector map Labels of the pods behind it.
          clusterIP str
          clusterIPs [str]
          ports [obj]
            port! int
            name str
            protocol TCP|UDP|SCTP
            targetPort port
            nodePort int
            appProtocol str
          externalName str
          externalIPs [str]
          sessionAffinity str
          ...
        status obj
          ...
    """,
    "configmaps": """
        data map Texts by key.
        binaryData map Base64 by key.
        immutable bool
    """,
    "secrets": """
        type str What the secret is for.
        data map Base64 by key.
        stringData map Texts by key, for writing only.
        immutable bool
    """,
    "namespaces": """
        spec obj
          finalizers [str]
        status obj
          phase Active|Terminating
          ...
    """,
    "deployments.apps": """
        spec obj What is wanted.
          replicas int How many pods.
          selector! &selector Which pods belong to it; cannot be changed.
          template! &template What each pod is.
          strategy obj How pods are replaced.
            type RollingUpdate|Recreate
            rollingUpdate obj
              maxSurge port
              maxUnavailable port
          minReadySeconds int
          revisionHistoryLimit int How many old ReplicaSets are kept.
          progressDeadlineSeconds int
          paused bool
        status obj What is known about it now.
          replicas int
          readyReplicas int
          updatedReplicas int
          availableReplicas int
          unavailableReplicas int
          observedGeneration int
          conditions [&condition]
          ...
    """,
    "replicasets.apps": """
        spec obj
          replicas int How many pods.
          selector! &selector
          template &template
          minReadySeconds int
        status obj
          ...
    """,
    "statefulsets.apps": """
        spec obj What is wanted.
          serviceName str The headless service that names the pods.
          replicas int How many pods.
          selector! &selector
          template! &template
          updateStrategy obj
            type RollingUpdate|OnDelete
            rollingUpdate obj
              partition int
              maxUnavailable port
          podManagementPolicy OrderedReady|Parallel
          volumeClaimTemplates [any] A claim of each for every pod.
          persistentVolumeClaimRetentionPolicy any
          revisionHistoryLimit int
          minReadySeconds int
          ordinals any
        status obj
          ...
    """,
    "daemonsets.apps": """
        spec obj What is wanted.
          selector! &selector
          template! &template
          updateStrategy obj
            type RollingUpdate|OnDelete
            rollingUpdate obj
              maxSurge port
              maxUnavailable port
          minReadySeconds int
          revisionHistoryLimit int
        status obj
          ...
    """,
    "jobs.batch": """
        spec &jobspec What is to be done.
        status obj
          ...
    """,
    "cronjobs.batch": """
        spec obj What is to be done, and when.
          schedule! str Five fields of cron: minute, hour, day, month, weekday.
          timeZone str
          suspend bool
          concurrencyPolicy Allow|Forbid|Replace
          startingDeadlineSeconds int
          successfulJobsHistoryLimit int
          failedJobsHistoryLimit int
          jobTemplate! obj
            metadata any
            spec &jobspec
        status obj
          ...
    """,
    "horizontalpodautoscalers.autoscaling": """
        spec obj What is scaled, between which bounds, by which measure.
          scaleTargetRef! obj
            apiVersion str
            kind! str
            name! str
          minReplicas int
          maxReplicas! int
          metrics [any]
          behavior any
        status obj
          ...
    """,
    "poddisruptionbudgets.policy": """
        spec obj How many pods may be missing on purpose.
          selector &selector
          minAvailable port
          maxUnavailable port
          unhealthyPodEvictionPolicy str
        status obj
          ...
    """,
    "ingresses.networking.k8s.io": """
        spec obj
          ingressClassName str
          defaultBackend any
          tls [obj]
            hosts [str]
            secretName str
          rules [obj]
            host str
            http obj
              paths! [obj]
                path str
                pathType! Exact|Prefix|ImplementationSpecific
                backend! obj
                  service obj
                    name! str
                    port obj
                      number int
                      name str
                  resource any
        status obj
          ...
    """,
    "networkpolicies.networking.k8s.io": """
        spec obj Which pods it selects, and what they may talk to.
          podSelector &selector The pods it is about; empty selects all of the namespace.
          policyTypes [Ingress|Egress]
          ingress [obj] What may come in.
            from [&peer]
            ports [&netport]
          egress [obj] What may go out.
            to [&peer]
            ports [&netport]
    """,
    **CUSTOM,
}
_PARTS |= CUSTOM_PARTS


@cache
def schema_for(name: str) -> Mapping[str, Any] | None:
    """The schema of a built-in resource ("deployments.apps"), or None when this server publishes none."""
    outline = _KINDS.get(name)
    if outline is None:
        return None
    schema = parse(outline, _PARTS)
    return {"description": DESCRIPTIONS.get(name, ""), **schema}


DESCRIPTIONS = {
    "pods": "One or more containers that run together on one node.",
    "services": "A stable address in front of the pods that a selector finds.",
    "configmaps": "Settings for pods to read.",
    "secrets": "Confidential values for pods to read.",
    "namespaces": "A scope for names, policies and quotas.",
    "deployments.apps": "Keeps a number of equal pods running and replaces them gradually when their template changes.",
    "replicasets.apps": "Keeps a number of equal pods running; usually owned by a Deployment.",
    "statefulsets.apps": "Keeps pods with lasting names and volumes running.",
    "daemonsets.apps": "Runs a pod on every node that it selects.",
    "jobs.batch": "Runs pods until enough of them have succeeded.",
    "cronjobs.batch": "Starts a job at set times.",
    "horizontalpodautoscalers.autoscaling": "Changes the number of pods of a workload by what it measures.",
    "poddisruptionbudgets.policy": "Limits how many pods an eviction may take away at once.",
    "ingresses.networking.k8s.io": "Routes HTTP from outside to services.",
    "networkpolicies.networking.k8s.io": "Says which traffic the selected pods may have; other traffic is denied.",
    "applications.argoproj.io": "Manifests from Git that Argo CD keeps in a cluster.",
    "applicationsets.argoproj.io": "Makes Applications from a template, one for each set of parameters.",
    "appprojects.argoproj.io": "Which sources, destinations and kinds the Applications of a team may use.",
    "ciliumcidrgroups.cilium.io": "Networks under one name, for policies to name.",
    "ciliumnetworkpolicies.cilium.io": "Which traffic the selected endpoints of a namespace may have, up to layer 7.",
    "ciliumclusterwidenetworkpolicies.cilium.io": "Which traffic the selected endpoints or nodes of a cluster have.",
}
