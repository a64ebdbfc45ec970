// The box of the volume, drawn by its faces. Positions run from 0 (first grid point) to 1 (last one)
// along the texture's x, y and z, which are the array's last, middle and first axis.
attribute vec3 a_position;

varying vec3 v_position;
varying vec4 v_near;              // the same ray at the near and the far end of the view
varying vec4 v_far;

void main()
{
    v_position = a_position;
    // Step onto the near and the far clipping plane on the screen, and come back.
    vec4 seen = $to_document(vec4(a_position, 1.0));
    seen.z = -seen.w;
    v_near = $from_document(seen);
    seen.z = seen.w;
    v_far = $from_document(seen);
    gl_Position = $transform(vec4(a_position, 1.0));
}
