"""From the state to numbers at every color: requests, the work, its results, and their way out.

Pure generators and frozen values; may import `app.image` and the modules at the root of `app`.
Where the numbers are shown is the business of `app.layers`.
"""
