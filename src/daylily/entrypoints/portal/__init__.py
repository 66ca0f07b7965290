"""The portal: pages for people, on top of the same use cases as the API."""
