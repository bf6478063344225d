"""Names and numbers of Argo CD that several modules share."""

APPLICATIONS = "applications.argoproj.io"
APPSETS = "applicationsets.argoproj.io"
NAMESPACE = "argocd"
HISTORY = 10  # revisionHistoryLimit
