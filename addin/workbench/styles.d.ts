declare module "*.css"; // taken by the bundler
