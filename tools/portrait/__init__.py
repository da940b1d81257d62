"""The presenter Aigul, drawn from curves and height fields: no photograph, no model.

All geometry is in face units: the origin lies between the eyes, x to the viewer's right, y down;
the pupils are 126 units apart and the chin is at y = 213.
"""
