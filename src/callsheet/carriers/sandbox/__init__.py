"""The sandbox, the default carrier: a seeded handset simulator with a durable ledger of its own."""
