"""What tests share and pytest does not need to know: `from support.models import model_file`."""
