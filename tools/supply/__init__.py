"""What comes into envctl from outside: licences, advisories, bills of materials."""
