"""Network policies of Cilium and Kubernetes: what they say, what they do, what a change of them would do.

policy, select, describe    a policy as it is written, in words, and whom it selects
model, engine/              rulebooks, and the verdict of one flow with its reason
reachability/               the same for every pair at once
impacts/                    two states of a cluster compared
ruling/                     rules as people choose them, written into files
hubble/                     flows that were seen, and rules that would let dropped ones pass
lint/                       traps, with file and line
reading, suite, suitefile   policies, endpoints and policy tests out of files
fleetwide, mesh, config     policies over clusters, and how their agents are set up
"""
