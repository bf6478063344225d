"""From a key press to a commit and on to the remote: what the app does with drafts, each as a worker of its own."""
