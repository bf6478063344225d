"""A stand-in for Argo CD: reconciles the demo's Git repository into its clusters, in Argo CD's shapes and words.

Facts and messages follow Argo CD 3.5 (Application CRD, application controller, gitops-engine).
"""
