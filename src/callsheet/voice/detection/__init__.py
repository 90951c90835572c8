"""Who answered, by ear: streaming, on the other side's audio, without a clock."""

from callsheet.voice.detection.beep import Beep, BeepFinder
from callsheet.voice.detection.detector import Detector

__all__ = ["Beep", "BeepFinder", "Detector"]
