"""SIP: accounts with providers of telephony. The voice engine speaks with them; here is what it has to know."""
