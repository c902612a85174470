"""What a merge request's author may try, and what happens then."""
