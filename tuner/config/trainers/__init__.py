"""Other trainers: what each calls our settings, how it is started, stopped and continued."""
