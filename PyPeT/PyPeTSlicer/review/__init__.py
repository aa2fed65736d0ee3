"""The steps of a run, each as an arrangement of views: what went in, what came out, and what speaks against it."""
