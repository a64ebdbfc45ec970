// Vertex shader: a rectangle over the whole viewport.
attribute vec2 a_corner;
varying vec2 v_place;

void main()
{
    v_place = a_corner;
    gl_Position = vec4(2.0 * a_corner - 1.0, 0.0, 1.0);
}
