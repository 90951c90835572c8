"""Speech: texts become sound, by a library that comes along or by a service over HTTP."""
