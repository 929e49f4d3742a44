"""Early warning (监测预警): have events become more, do they cluster in time or space, how much stays unseen; each with its limits.

Plain arrays and dataclasses in and out; nothing here reads a database or acts. A warning is a question to a person.
"""
