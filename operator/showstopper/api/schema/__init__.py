"""What every resource is made of: models, rules that become CEL, quantities, schedules."""
