"""The mouths for speech: telephony engines, machine detection, speech synthesis."""
