"""Schemas of Argo CD's and Cilium's kinds, in outline notation. Field names: dossiers of both projects."""

from __future__ import annotations

_RULE_PEERS = """
  {0}Endpoints [&selector] Endpoints in the cluster, by label.
  {0}CIDR [str] Networks outside the cluster.
  {0}CIDRSet [obj] Networks, with exceptions.
    cidr str
    cidrGroupRef str
    cidrGroupSelector &selector
    except [str]
  {0}Entities [str] Well-known peers: world, cluster, host, kube-apiserver and others.
  {0}Nodes [&selector]
  {0}Groups [any]
  icmps [obj]
    fields [obj]
      family IPv4|IPv6
      type! port
"""

_AUTHENTICATION = """
  authentication obj
    mode! disabled|required|test-always-fail
"""

_SERVICES = """
  toServices [obj]
    k8sService obj
      serviceName str
      namespace str
    k8sServiceSelector obj
      selector! &selector
      namespace str
"""

_NAMES = """
  toFQDNs [obj] Names whose addresses are learned from DNS answers.
    matchName str
    matchPattern str
"""

CUSTOM_PARTS = {
    "source": """
        repoURL! str The Git repository, Helm repository or OCI registry.
        path str Directory in the repository.
        targetRevision str Branch, tag, commit or version range to follow.
        chart str Chart name, for Helm repositories.
        ref str Name by which other sources refer to this one.
        name str
        tagPrefix str
        helm obj How Helm renders it.
          releaseName str
          valueFiles [str] Values files, relative to the path.
          values str Values as YAML text.
          valuesObject any Values as an object.
          parameters [obj]
            name str
            value str
            forceString bool
          fileParameters [obj]
            name str
            path str
          version str
          namespace str
          kubeVersion str
          apiVersions [str]
          passCredentials bool
          ignoreMissingValueFiles bool
          skipCrds bool
          skipTests bool
          skipSchemaValidation bool
        kustomize obj How kustomize renders it.
          namePrefix str
          nameSuffix str
          namespace str
          version str
          images [str] Replacements as name=image:tag.
          replicas [obj]
            name! str
            count! port
          patches [any]
          components [str]
          ignoreMissingComponents bool
          commonLabels map
          commonAnnotations map
          commonAnnotationsEnvsubst bool
          labelWithoutSelector bool
          labelIncludeTemplates bool
          forceCommonLabels bool
          forceCommonAnnotations bool
          kubeVersion str
          apiVersions [str]
        directory obj How plain manifests are read.
          recurse bool
          include str
          exclude str
          jsonnet any
        plugin obj
          name str
          env [obj]
            name! str
            value! str
          parameters [any]
    """,
    "appspec": """
        project! str The AppProject it belongs to.
        source &source Where the manifests come from.
        sources [&source] Several sources rendered together.
        sourceHydrator any
        destination! obj Where they go.
          server str URL of the cluster's API server.
          name str Name of the cluster, instead of its URL.
          namespace str Namespace for objects that name none.
        syncPolicy obj When and how it is synchronised.
          automated obj Synchronise without being asked.
            prune bool Also delete what is gone from Git.
            selfHeal bool Also undo changes made in the cluster.
            allowEmpty bool
            enabled bool
          syncOptions [str]
          retry obj
            limit int
            refresh bool
            backoff obj
              duration str
              factor int
              maxDuration str
          managedNamespaceMetadata obj
            labels map
            annotations map
        ignoreDifferences [obj] Fields that may differ.
          group str
          kind! str
          name str
          namespace str
          jsonPointers [str]
          jqPathExpressions [str]
          managedFieldsManagers [str]
        info [obj]
          name! str
          value! str
        revisionHistoryLimit int
    """,
    "ports": """
        ports [obj]
          port str Number or name.
          endPort int
          protocol TCP|UDP|SCTP|ICMP|ICMPv6|ANY
        rules obj Rules of layer 7.
          http [obj]
            method str
            path str
            host str
            headers [str]
            headerMatches [any]
          dns [obj]
            matchName str
            matchPattern str
          kafka [any]
          l7proto str
          l7 [any]
        terminatingTLS any
        originatingTLS any
        serverNames [str]
        listener any
    """,
    "ingress": _RULE_PEERS.format("from") + _AUTHENTICATION + "  toPorts [&ports] Ports that may be reached.",
    "egress": _RULE_PEERS.format("to")
    + _SERVICES
    + _NAMES
    + _AUTHENTICATION
    + "  toPorts [&ports] Ports of the peers that may be reached.",
    "ingressdeny": _RULE_PEERS.format("from") + "  toPorts [any]",
    "egressdeny": _RULE_PEERS.format("to") + _SERVICES + "  toPorts [any]",
    "rule": """
        description str A note for people.
        endpointSelector &selector The endpoints it is about; empty selects all.
        nodeSelector &selector The nodes it is about, instead of endpoints.
        ingress [&ingress] What may come in.
        ingressDeny [&ingressdeny] What may not come in, whatever else is allowed.
        egress [&egress] What may go out.
        egressDeny [&egressdeny] What may not go out, whatever else is allowed.
        enableDefaultDeny obj Whether traffic that no rule allows is denied.
          ingress bool
          egress bool
        labels [any]
        log obj
          value str
    """,
}

_POLICY = """
  spec &rule
  specs [&rule] Several rules in one object.
  status obj
    conditions [&condition]
    ...
"""

CUSTOM = {
    "applications.argoproj.io": """
        spec! &appspec What is deployed, from where and to where.
        operation any A synchronisation that is being asked for.
        status obj What Argo CD knows about it; written by its controller.
          ...
    """,
    "applicationsets.argoproj.io": """
        spec! obj
          generators! [any] Where the sets of parameters come from.
          template! obj The Application that is made from each set.
            metadata any
            spec! any
          goTemplate bool
          goTemplateOptions [str]
          syncPolicy obj
            preserveResourcesOnDeletion bool
            applicationsSync str
          strategy any
          preservedFields any
          ignoreApplicationDifferences [any]
          applyNestedSelectors bool
          templatePatch str
        status obj
          ...
    """,
    "appprojects.argoproj.io": """
        spec! obj
          description str
          sourceRepos [str] Repositories that may be used.
          destinations [obj] Clusters and namespaces that may be used.
            server str
            name str
            namespace str
          sourceNamespaces [str]
          clusterResourceWhitelist [any]
          clusterResourceBlacklist [any]
          namespaceResourceWhitelist [any]
          namespaceResourceBlacklist [any]
          roles [any]
          syncWindows [any]
          orphanedResources any
          signatureKeys [any]
          sourceIntegrity any
          permitOnlyProjectScopedClusters bool
          destinationServiceAccounts [any]
        status obj
          ...
    """,
    "ciliumcidrgroups.cilium.io": """
        spec! obj
          externalCIDRs! [str] Networks outside the cluster.
    """,
    "ciliumnetworkpolicies.cilium.io": _POLICY,
    "ciliumclusterwidenetworkpolicies.cilium.io": _POLICY,
}
