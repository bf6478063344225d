"""What policies allow, on the screen: verdicts, effective rules, reachability."""
