"""Sounds for tests: what a room may carry besides the time code, at 8 kHz, and how to cut it into windows."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from showstopper.audio import timecode
from showstopper.audio.hearing import reading
from showstopper.audio.timecode import Samples

MOMENT = 1_790_000_000.3


def windows(sound: Samples, hop: int = reading.SLICE) -> Samples:
    """All windows of the sound, `hop` samples apart."""
    return np.ascontiguousarray(sliding_window_view(sound, reading.WINDOW)[::hop])


def middles(count: int, start: float, hop: int = reading.SLICE) -> np.ndarray:
    """The times of the windows' middles in a sound that starts at `start`."""
    return start + (np.arange(count) * hop + reading.WINDOW / 2) / reading.RATE


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * reading.RATE), np.float32)


def code(start: float, seconds: float) -> Samples:
    return timecode.encode(start, round(seconds * reading.RATE), reading.RATE)


def hold(seconds: float, start: float = MOMENT) -> Samples:
    return timecode.encode_hold(start, round(seconds * reading.RATE), reading.RATE)


def noise(seconds: float, level: float = 0.1, seed: int = 1) -> Samples:
    return np.asarray(np.random.default_rng(seed).normal(0, level, round(seconds * reading.RATE)), np.float32)


def pink(seconds: float, seed: int = 2) -> Samples:
    """Noise with as much energy in each octave, as music has it."""
    white = np.fft.rfft(noise(seconds, 1.0, seed))
    sound = np.fft.irfft(white / np.sqrt(np.arange(len(white)) + 1))
    return np.asarray(sound / np.abs(sound).max() / 3, np.float32)


def speech(seconds: float, seed: int = 3) -> Samples:
    """Like speech: a wandering voice pitch with its overtones, formants that change, and pauses."""
    rng = np.random.default_rng(seed)
    count = round(seconds * reading.RATE)
    times = np.arange(count) / reading.RATE
    steps = np.arange(0, seconds + 1, 0.15)
    pitch = np.interp(times, steps, rng.uniform(90, 240, len(steps)))
    phase = 2 * np.pi * np.cumsum(pitch) / reading.RATE
    formant = np.interp(times, steps, rng.uniform(300, 2600, len(steps)))
    sound = np.zeros(count)
    for overtone in range(1, 16):
        sound += np.exp(-(((overtone * pitch - formant) / 400) ** 2)) * np.sin(overtone * phase)
    loudness = np.interp(times, steps, rng.choice([0.0, 0.3, 1.0], len(steps)))
    return np.asarray(sound * loudness / np.abs(sound).max() / 2, np.float32)


def melody(seconds: float, seed: int = 4) -> Samples:
    """Chords of four random notes, a new one every 200 ms: much like the hands at a glance."""
    rng = np.random.default_rng(seed)
    count = round(seconds * reading.RATE)
    notes = 440 * 2 ** (rng.integers(-12, 32, (4, count // 1600 + 1)) / 12)
    sound = np.zeros(count)
    for voice in notes:
        sound += np.sin(2 * np.pi * np.cumsum(np.repeat(voice, 1600)[:count]) / reading.RATE)
    return (sound / 12).astype(np.float32)


def quantized(sound: Samples) -> np.ndarray:
    """16-bit samples, as frames carry them."""
    return np.clip(np.round(sound * 32767), -32768, 32767).astype(np.int16)
