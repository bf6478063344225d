"""The stores: their tills and the queue that sales wait in."""

from __future__ import annotations

from string import Template

from tui.demo.content.clusters import ClusterSpec
from tui.demo.content.policies import SALES_QUEUE
from tui.demo.content.shop import REGISTRY

TILL = Template("""\
# The tills of $store. Two, so that one can be updated while the shop is open.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: till
  namespace: till
  labels:
    app.kubernetes.io/name: till
    harbour.example/store: $store
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: till
  template:
    metadata:
      labels:
        app.kubernetes.io/name: till
        harbour.example/store: $store
    spec:
      containers:
        - name: till
          image: $registry/edge/till:$tag
          ports:
            - name: http
              containerPort: 8090
          env:
            - name: STORE
              value: $store
            - name: OFFLINE_HOURS
              value: "72"  # how long a till sells without the head office
          resources:
            requests:
              cpu: 100m
              memory: 256Mi
            limits:
              memory: 512Mi
""")

TILL_STORE = Template("""\
# Sales wait here until the head office has them.
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: sales-queue
  namespace: till
  labels:
    app.kubernetes.io/name: sales-queue
spec:
  serviceName: sales-queue
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: sales-queue
  template:
    metadata:
      labels:
        app.kubernetes.io/name: sales-queue
    spec:
      containers:
        - name: queue
          image: $registry/edge/sales-queue:1.4.0
          ports:
            - name: queue
              containerPort: 5672
          resources:
            requests:
              cpu: 50m
              memory: 128Mi
            limits:
              memory: 256Mi
""")

TILL_POLICY = Template("""\
# A till talks to its queue and to the card terminal on the shop's own network.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: till
  namespace: till
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: till
  ingress:
    - fromCIDRSet:
        - cidr: 10.$number.0.0/16
          except:
            - 10.$number.99.0/24  # guests' wifi
      toPorts:
        - ports:
            - port: "8090"
              protocol: TCP
  egress:
    - toEndpoints:
        - matchLabels:
            app.kubernetes.io/name: sales-queue
    - toCIDR:
        - 10.$number.7.0/24  # card terminals
      toPorts:
        - ports:
            - port: "20007"
              protocol: TCP
""")

TILL_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: till
  namespace: till
spec:
  selector:
    app.kubernetes.io/name: till
  ports:
    - name: http
      port: 80
      targetPort: http
"""


def till_files(spec: ClusterSpec) -> dict[str, str]:
    """Files of one store, by path in the repository."""
    base = f"edge/till/{spec.name}"
    store = dict(spec.labels)["store"]
    values = {"store": store, "registry": REGISTRY, "number": str(spec.number), "tag": "8.2.0"}
    return {
        f"{base}/till.yaml": TILL.substitute(values),
        f"{base}/sales-queue.yaml": TILL_STORE.substitute(values),
        f"{base}/service.yaml": TILL_SERVICE,
        f"{base}/policy.yaml": TILL_POLICY.substitute(values),
        f"{base}/sales-queue-policy.yaml": SALES_QUEUE,
    }
