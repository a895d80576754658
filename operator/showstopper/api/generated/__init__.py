"""What is written from the models: custom resource definitions and the reference."""
