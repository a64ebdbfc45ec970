// Fragment shader: puts a small picture of the view over the whole of it.
uniform sampler2D u_picture;
varying vec2 v_place;

void main()
{
    gl_FragColor = texture2D(u_picture, v_place);
}
