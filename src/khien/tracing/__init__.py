"""From one case to everybody at risk: visits to places, cases, contacts and their exposures, isolation, chains."""
