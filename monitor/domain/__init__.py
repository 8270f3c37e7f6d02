"""What the product decides: values in, values out, the time is an argument."""
