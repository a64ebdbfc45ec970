"""From the state to numbers at every color: requests, computation, results, and output.

Pure generators and frozen values; may import `app.image` and the modules at the root of `app`.
Where the numbers are shown is the business of `app.layers`.
"""
