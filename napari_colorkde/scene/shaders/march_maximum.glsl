// Maximum: the color of the densest place along the ray, as opaque as a sheet of that density.
uniform float u_sheet;            // the sheet's thickness, scene length

vec4 march(vec3 loc, vec3 step, float steps, float stretch)
{
    float most = u_floor;
    float where = -1.0;
    vec3 start = loc;
    float i = 0.0;
    float next_block = 0.0;       // the step at which the ray comes into another block
    while (i < steps) {
        if (i >= next_block) {
            bool empty;
            float alike = steps_alike(loc, step, empty);
            next_block = i + alike;
            if (empty) {
                i += alike;
                loc += step * alike;
                continue;
            }
        }
        float density = abs(value_at(loc));
        if (density > most) {
            most = density;
            where = i;
        }
        i += 1.0;
        loc += step;
    }
    vec3 densest = start + step * where;
    float alpha = where < 0.0 ? 0.0 : opacity(most, u_sheet);
    return vec4(alpha * color_at(densest, value_at(densest)), alpha);
}
